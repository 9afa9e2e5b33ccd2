// What minisign 0.11 of Debian 12 wrote: keys, and its signature of the six bytes "Hello\n".
#pragma once

namespace ap::package::minisign_files {

// minisign -GW
inline constexpr const char* kPublic =
    "untrusted comment: minisign public key D18B1595C08DEE94\n"
    "RWSU7o3AlRWL0bMWTcD6ZDaVXe9v7pU417GtifDKMcyVzWR+ZmRS68mP\n";
inline constexpr const char* kSecret =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAlO6NwJUVi9EzzYVQw5uJ3VK5vvmz"
    "HUziZaCxO1WjHQgIXBN/"
    "8fucHrMWTcD6ZDaVXe9v7pU417GtifDKMcyVzWR+ZmRS68mPAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
// minisign -S -t "a comment"
inline constexpr const char* kSignature =
    "untrusted comment: signature from minisign secret key\n"
    "RUSU7o3AlRWL0RHIChuMqH/HwOBqvxof80GWj0z6Tdu/jGcvN1zn/fdVLhni4QjcfYyIs/ubtmleiNhpX2vXmBUBhlDmBqLW3Qw=\n"
    "trusted comment: a comment\n"
    "yQaDiP4ogQLTXmxirxT2BWXZ3BegpIvd3xOCQkPNJD++BVRdFg/XsC0awmWIJ90EPH/Df95IMh8+fcH+sbjHAA==\n";
inline constexpr const char* kComment = "a comment";

// minisign -G with the password "geheim"
inline constexpr const char* kLockedPublic = "RWQCvTVRUJ9vXWvvW4XGJf9OA/scYbWNgimnZyil9ZVAsk0rt2hSPByW";
inline constexpr const char* kLockedSecret =
    "untrusted comment: minisign encrypted secret key\n"
    "RWRTY0IyXyLUjf5ItE13cCQYeEBio9THX4DdHxePFhgz2qDHt4gAAAACAAAAAAAAAEAAAAAAtq5vJdBwniAWhf5prFyxS2Q/GaAp"
    "OmDMN2NyzIWLQobJf2Ga5Z2o1iP1QUUVqVHeqQhnqZdI1u5+"
    "dnZkCuIxXKjbwkAZ9mSb7yTABdvBLPMuKsZqemVXuGSCGHLh8HncYetNy7AVgLk=\n";
inline constexpr const char* kPassword = "geheim";

}  // namespace ap::package::minisign_files
