#include "base/error.h"
#include "planner/search/policies.h"

namespace ap::search {

Contest::Contest(Environment& environment, const Budget& budget, Trace& trace)
    : environment_(&environment), budget_(budget), trace_(&trace) {
  if (!budget.max_loss && !budget.max_seconds) {
    fail_input("a search needs a bound: the largest loss of accuracy, or the largest latency");
  }
}

bool Contest::enter(const Choice& choice) {
  const Evaluation& e = environment_->evaluate(choice);
  ++entered_;
  trace_->push_back({static_cast<int>(trace_->size()) + 1, e.reward(), e.seconds, e.loss(),
                     environment_->expected_loss(e.counts)});
  const bool fast = !budget_.max_seconds || e.seconds <= *budget_.max_seconds;
  const bool kept = budget_.max_loss && environment_->keeps_loss(e, *budget_.max_loss);
  const double changes = e.counts.changes();
  if (fast) {
    bool better = !found_;
    if (found_ && kept != kept_) better = kept;
    if (found_ && kept == kept_) better = kept ? e.seconds < best_seconds() : changes < best_changes_;
    if (better) found_ = true, kept_ = kept, best_ = choice, best_changes_ = changes;
  }
  return fast && (kept || !budget_.max_loss);
}

bool Contest::open() const { return entered_ < static_cast<std::size_t>(budget_.simulations); }

const Choice& Contest::best() const {
  AP_ASSERT(found_);
  return best_;
}

double Contest::best_seconds() const { return environment_->seconds(best()); }

}  // namespace ap::search
