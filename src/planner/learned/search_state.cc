#include "planner/learned/search_state.h"

#include <cmath>

namespace ap::ddpg {
namespace {

constexpr std::uint64_t kMagic = 0x3267706464'5041;  // "APddpg2"

}  // namespace

void SearchState::save(ByteWriter& out) const {
  out.u64(kMagic);
  out.u64(question);
  out.f64(step);
  out.f64(aim);
  out.u32(static_cast<std::uint32_t>(entered.size()));
  for (const search::Choice& choice : entered) {
    for (const int point : choice) out.u32(static_cast<std::uint32_t>(point));
  }
}

void SearchState::load(ByteReader& in, const search::Environment& environment) {
  if (in.u64() != kMagic || in.u64() != question) {
    fail_input(
        "the stored state of policy ddpg is that of another search: remove it, "
        "search without --resume, or give the same options");
  }
  step = in.f64();
  aim = in.f64();
  const std::uint32_t count = in.u32();
  entered.clear();
  for (std::uint32_t k = 0; k < count; ++k) {
    search::Choice choice;
    for (std::size_t i = 0; i < environment.layers(); ++i) {
      const std::uint32_t point = in.u32();
      if (point >= environment.points(i).size()) {
        fail_input(
            "the stored state of policy ddpg is damaged: layer {} has no point {}; remove it and search again",
            environment.layer_name(i), point);
      }
      choice.push_back(static_cast<int>(point));
    }
    entered.push_back(std::move(choice));
  }
  if (!(step > 0 && step < 1 && aim > 0 && aim < 1e6))
    fail_input("the stored state of policy ddpg is damaged; remove it and search again");
}

}  // namespace ap::ddpg
