// The best choice simulated so far (planner/search/policies.h).
#include "base/error.h"
#include "planner/search/policies.h"

namespace ap::search {

Incumbent::Incumbent(Environment& environment, const Budget& budget, Trace& trace)
    : environment_(&environment), budget_(budget), trace_(&trace) {
  if (!budget.max_loss && !budget.max_seconds) {
    fail_input("a search needs a bound: the largest loss of accuracy, or the largest latency");
  }
}

bool Incumbent::enter(const Choice& choice) {
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

bool Incumbent::open() const { return entered_ < static_cast<std::size_t>(budget_.simulations); }

const Choice& Incumbent::best() const {
  AP_ASSERT(found_);
  return best_;
}

double Incumbent::best_seconds() const { return environment_->seconds(best()); }

}  // namespace ap::search
