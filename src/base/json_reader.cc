#include "base/json_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace ap {
namespace {

using Json = nlohmann::json;

// What the tree takes for each kind of thing, from above. An array that grows holds its elements twice for a
// moment.
constexpr std::size_t kValueBytes = 24, kContainerBytes = 72, kTextBytes = 48, kNameBytes = 112;
// Of a value that a message quotes.
constexpr std::size_t kQuotedBytes = 40;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_punctuation(char c) {
  return c == '[' || c == ']' || c == '{' || c == '}' || c == ',' || c == ':' || c == '"';
}

/// What a parser would make of a text, whether it is JSON or not, without taking memory for it.
class Scan {
 public:
  Scan(const std::string& what, const JsonLimits& limits) : what_(what), limits_(limits) {}

  void run(ByteView text) {
    take(kValueBytes);
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t begin = at;
      const char c = static_cast<char>(text[at++]);
      if (c == '"') {
        while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
        ++at;  // the closing quote
        take(kTextBytes + std::min(at, text.size()) - begin);
      } else if (!is_punctuation(c)) {  // a number or word, or blanks: the parser holds either whole
        while (at < text.size() && is_blank(static_cast<char>(text[at])) == is_blank(c) &&
               !is_punctuation(static_cast<char>(text[at]))) {
          ++at;
        }
      } else {
        punctuate(c);
      }
      if (at - begin > limits_.max_token) {
        fail_input("{} has a JSON text, number or run of blanks of more than {} bytes", what_,
                   limits_.max_token);
      }
    }
  }
  std::size_t names() const { return names_; }

 private:
  void punctuate(char c) {
    if (c == '[' || c == '{') {
      if (++depth_ > limits_.max_depth)
        fail_input("{} has JSON of more than {} levels", what_, limits_.max_depth);
      take(kContainerBytes + kValueBytes);  // and its first element
    } else if (c == ']' || c == '}') {
      --depth_;
    } else if (c == ',') {
      take(kValueBytes);
    } else if (c == ':') {
      ++names_;
      take(kNameBytes);
    }
  }

  void take(std::size_t bytes) {
    taken_ += bytes;
    if (taken_ > limits_.max_memory) {
      fail_input("{} has JSON of more values than {} MB of memory hold, which is the most allowed here",
                 what_, limits_.max_memory >> 20);
    }
  }

  const std::string& what_;
  const JsonLimits& limits_;
  int depth_ = 0;
  std::size_t taken_ = 0, names_ = 0;
};

/// All keys of all objects in a tree.
std::size_t names_in(const Json& json) {
  std::size_t count = json.is_object() ? json.size() : 0;
  if (json.is_structured()) {
    for (const Json& value : json) count += value.is_structured() ? names_in(value) : 0;
  }
  return count;
}

}  // namespace

Json parse_json(ByteView text, const std::string& what, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    fail_input("{} has {} bytes of JSON, at most {} are read", what, text.size(), limits.max_bytes);
  }
  Scan scan(what, limits);
  scan.run(text);
  Json json;
  try {
    json = Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& error) {
    fail_input("{} is not valid JSON at byte {}", what, error.byte);
  } catch (const Json::exception&) {
    fail_input("{} is not valid JSON: a number is too large", what);
  }
  // The tree keeps one value of a key.
  if (names_in(json) != scan.names()) fail_input("{} has a JSON object with the same key twice", what);
  return json;
}

bool JsonReader::has(const char* key) const { return json_->is_object() && json_->contains(key); }

JsonReader JsonReader::at(const char* key) const {
  if (!json_->is_object()) refuse("an object");
  const auto found = json_->find(key);
  std::string place = place_.empty() ? key : place_ + "." + key;
  if (found == json_->end()) fail_input("{}: {} is missing", what_, place);
  return {*found, what_, std::move(place)};
}

JsonReader JsonReader::element(std::size_t index) const {
  if (!json_->is_array() || index >= json_->size()) refuse(fmt::format("an array with an element {}", index));
  return {(*json_)[index], what_, fmt::format("{}[{}]", place_, index)};
}

std::size_t JsonReader::size(std::size_t most) const {
  if (!json_->is_array() || json_->size() > most)
    refuse(fmt::format("an array of at most {} elements", most));
  return json_->size();
}

void JsonReader::expect_size(std::size_t count) const {
  if (!json_->is_array() || json_->size() != count) refuse(fmt::format("an array of {} elements", count));
}

std::int64_t JsonReader::signed_value() const {
  if (!json_->is_number_integer()) refuse("a whole number");
  return json_->get<std::int64_t>();
}

double JsonReader::number(double low, double high) const {
  const double value = json_->is_number() ? json_->get<double>() : std::nan("");
  // Written so that a NaN fails.
  if (!(value >= low && value <= high)) refuse(fmt::format("a number from {} to {}", low, high));
  return value;
}

bool JsonReader::boolean() const {
  if (!json_->is_boolean()) refuse("true or false");
  return json_->get<bool>();
}

std::string JsonReader::text(std::size_t max_bytes) const {
  const auto* value = json_->get_ptr<const std::string*>();
  if (!value || value->size() > max_bytes) refuse(fmt::format("a text of at most {} bytes", max_bytes));
  return *value;
}

void JsonReader::refuse(const std::string& expected) const {
  std::string value;
  if (json_->is_array()) {
    value = fmt::format("an array of {}", json_->size());
  } else if (json_->is_object()) {
    value = "an object";
  } else if (const auto* text = json_->get_ptr<const std::string*>()) {
    value =
        text->size() > kQuotedBytes ? fmt::format("a text of {} bytes", text->size()) : "\"" + *text + "\"";
  } else {
    value = json_->dump();
  }
  fail_input("{}: {} is {}, but {} is expected", what_, place_.empty() ? "it" : place_, value, expected);
}

}  // namespace ap
