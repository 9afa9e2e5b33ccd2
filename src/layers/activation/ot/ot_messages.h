// Message types of the `ot` protocol, 0x0310..0x0328 of the wire format, its quadratics, 0x0330..0x0331, its
// products, 0x0332..0x0333, and its lookups, 0x0334..0x0337.
#pragma once

#include <string_view>

#include "mpc/ot/silent_cot.h"

namespace ap::activation {

/// Offline; transfers with the client as sender, then with the server as sender.
inline constexpr mpc::SilentCotMessages kClientSends{
    {{0x0310, 0x0311}, 0x031f, 0x0312, 0x0321, 0x0322}, 0x0313, {0x0325, 0x0326}};
inline constexpr mpc::SilentCotMessages kServerSends{
    {{0x0314, 0x0315}, 0x0320, 0x0316, 0x0323, 0x0324}, 0x0317, {0x0327, 0x0328}};

/// The parts of a session's key for transfers that the client sends and the server receives, and the reverse.
inline constexpr std::string_view kClientSendsPart = "transfers sent by the client";
inline constexpr std::string_view kServerSendsPart = "transfers sent by the server";

// Online.
inline constexpr net::MessageType kOtChoices = 0x0318;   ///< server -> client: masked digits
inline constexpr net::MessageType kOtLeaves = 0x0319;    ///< client -> server: masked leaf tables
inline constexpr net::MessageType kOtOpenings = 0x031a;  ///< both ways: masked factors of one level
inline constexpr net::MessageType kOtFlips = 0x031b;     ///< client -> server: masked selection bits
inline constexpr net::MessageType kOtServerWords =
    0x031c;  ///< server -> client: masked products, choice bits
inline constexpr net::MessageType kOtClientWords = 0x031d;  ///< client -> server: masked products
inline constexpr net::MessageType kOtCorrection = 0x031e;   ///< client -> server: its share minus r

// Quadratics: offline, then online.
inline constexpr net::MessageType kSquareFactors = 0x0330;  ///< client -> server: its words, masked
inline constexpr net::MessageType kSquareOpened = 0x0331;   ///< server -> client: its words minus b

// Products of two private tensors: offline, then online.
inline constexpr net::MessageType kProductFactors = 0x0332;  ///< client -> server: its words, masked
inline constexpr net::MessageType kProductOpened = 0x0333;   ///< server -> client: its words minus its masks

// Lookups in public tables, online.
inline constexpr net::MessageType kLookupIndex = 0x0334;    ///< server -> client: its number, masked
inline constexpr net::MessageType kLookupEntries = 0x0335;  ///< client -> server: masked entries
inline constexpr net::MessageType kLookupChoices = 0x0336;  ///< server -> client: its value's bits, masked
inline constexpr net::MessageType kLookupWords = 0x0337;    ///< client -> server: masked products

}  // namespace ap::activation
