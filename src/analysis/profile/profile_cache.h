// The profile of this machine in a file: $XDG_CACHE_HOME/autoprivacy/profile.json, or ~/.cache/... . It holds
// for one processor model and one version of the program; anything else, or a damaged file, counts as absent.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "analysis/cost/profile.h"

namespace ap::cost {

/// Model of the processor and the instruction sets in use.
std::string machine_name();

/// Where the profile of this machine is kept; empty if the environment names no place.
std::filesystem::path default_cache_path();

std::string to_json(const Profile& profile);
/// @throws Error(input) naming what is missing or out of range.
Profile parse_profile(const std::string& json);

/// Nothing if there is no file, it is damaged, or it is of another machine or version.
std::optional<Profile> load_profile(const std::filesystem::path& path);
/// Writes beside the file and renames; false if it cannot be written, which is no error.
bool save_profile(const Profile& profile, const std::filesystem::path& path);

/// The cached profile; made by `measure` and cached first if there is none.
Profile machine_profile(const std::filesystem::path& path, const std::function<Profile()>& measure);
Profile machine_profile(bool progress = false);
/// The cached profile, or the built-in figures: measures nothing.
Profile cached_profile(const std::filesystem::path& path = default_cache_path());

}  // namespace ap::cost
