// Reading of JSON that somebody else wrote: the text is held to limits before a tree grows from it, and every
// field is read with the type and the range that it must have. Each failure is an Error that names the object
// and the field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace ap {

struct JsonLimits {
  std::size_t max_bytes = std::size_t{16} << 20;   ///< of the text
  std::size_t max_memory = std::size_t{48} << 20;  ///< of the tree, estimated from above
  std::size_t max_token = std::size_t{1} << 16;    ///< bytes of one text or number, or of blanks
  int max_depth = 32;                              ///< of arrays and objects inside each other
};

/// `what` names the text in messages ("package client.apm"). An object with the same key twice is refused,
/// because two readers could take different ones.
/// @throws Error(input) for text that is no JSON or goes beyond a limit, without quoting it.
nlohmann::json parse_json(ByteView text, const std::string& what, const JsonLimits& limits = {});

/// One value of a parsed text, with its place for messages. Numbers are never converted in silence: a whole
/// number is one that is written without fraction and exponent and lies in the range asked for. Keys that
/// nobody asks for are ignored. The parsed text must outlive the reader. All functions @throw Error(input)
/// saying "WHAT: PLACE is VALUE, but ... is expected".
class JsonReader {
 public:
  JsonReader(const nlohmann::json& json, std::string what) : json_(&json), what_(std::move(what)) {}

  bool has(const char* key) const;              ///< whether this is an object with that key
  JsonReader at(const char* key) const;         ///< the value of a key that must be there
  JsonReader element(std::size_t index) const;  ///< an element that must be there
  std::size_t size(std::size_t most) const;     ///< of an array of at most `most` elements
  void expect_size(std::size_t count) const;    ///< an array of exactly `count` elements

  template <typename T>
  T integer(T low = std::numeric_limits<T>::min(), T high = std::numeric_limits<T>::max()) const {
    return json_->is_number_unsigned() ? narrow<T>(unsigned_value(), low, high)
                                       : narrow<T>(signed_value(), low, high);
  }
  /// An array of at most `most` whole numbers.
  template <typename T>
  std::vector<T> integers(std::size_t most, T low = std::numeric_limits<T>::min(),
                          T high = std::numeric_limits<T>::max()) const {
    std::vector<T> values(size(most));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const nlohmann::json& value = (*json_)[i];
      // The place of a good element is never needed, and there may be millions.
      const bool good = value.is_number_unsigned()
                            ? in_range<T>(value.get<std::uint64_t>(), low, high)
                            : value.is_number_integer() && in_range<T>(value.get<std::int64_t>(), low, high);
      values[i] = good ? value.get<T>() : element(i).integer<T>(low, high);
    }
    return values;
  }
  double number(double low, double high) const;  ///< finite, in [low, high]
  bool boolean() const;
  std::string text(std::size_t max_bytes) const;
  bool is_null() const { return json_->is_null(); }

  /// @throws the Error that says that this value is not what is expected.
  [[noreturn]] void refuse(const std::string& expected) const;

 private:
  JsonReader(const nlohmann::json& json, std::string what, std::string place)
      : json_(&json), what_(std::move(what)), place_(std::move(place)) {}

  template <typename T, typename V>
  static bool in_range(V value, T low, T high) {
    return std::cmp_greater_equal(value, low) && std::cmp_less_equal(value, high);
  }
  template <typename T, typename V>
  T narrow(V value, T low, T high) const {
    if (!in_range<T>(value, low, high)) refuse(fmt::format("a whole number from {} to {}", low, high));
    return static_cast<T>(value);
  }
  std::uint64_t unsigned_value() const { return json_->get<std::uint64_t>(); }
  std::int64_t signed_value() const;

  const nlohmann::json* json_;
  std::string what_, place_;
};

}  // namespace ap
