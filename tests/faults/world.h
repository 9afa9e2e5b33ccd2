// A world of its own in which programs run by turns: one task at a time, on a clock that nobody waits for.
// Which task goes on where, how long things take and what fails is drawn from one seed, so a run can be
// repeated.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ap::faults {

/// SplitMix64: quick, and the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// Uniform in [0, n), n > 0, but for a bias that does not matter here.
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

 private:
  std::uint64_t state_;
};

/// Ends a task whose process has died. No exception of the programs, so that none of them handles it.
struct Stopped {};

struct Machine;

/// A program that runs on a machine, until it ends or dies.
struct Process {
  std::string name;
  Machine* machine = nullptr;
  bool dead = false;
  std::uint64_t steps = 0;
  std::uint64_t dies_at = 0;  ///< at this step; 0: not
  bool by_power_cut = false;  ///< and takes its machine with it
};

class World {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  static constexpr std::uint64_t kMaxSteps = 400'000;  ///< more is a task that gets nowhere

  explicit World(std::uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Random random;

  /// A task of `process`, which run() begins. Of an exception only Stopped leaves the body.
  void start(Process& process, std::function<void()> body);
  /// Runs all tasks to their end. @throws std::runtime_error if they wait for each other for ever or get
  /// nowhere.
  void run();

  /// An operation of the running task: another may come first, and its process may die of it. False if it is
  /// dead. Outside tasks nothing happens.
  bool step(const Process& process, bool others_may_run = true);
  /// Waits until `ready_at` gives a time that has come, at most until `deadline`. False if the deadline came
  /// first. @throws Stopped
  bool wait(const std::function<std::uint64_t()>& ready_at, std::uint64_t deadline = kNever);

  std::uint64_t now_ms = 0;
  /// What dying does besides; gets the process that dies.
  std::function<void(Process&)> on_death;

  /// The process of the running task, or none.
  static Process* running();
  /// Bytes for the running task's keys; false outside tasks.
  static bool draw_entropy(void* out, std::size_t bytes);

 private:
  struct Task;
  void let_another_run();
  Task* choose();

  std::vector<std::unique_ptr<Task>> tasks_;
  std::mutex mutex_;
  std::condition_variable finished_;
  Task* current_ = nullptr;
  std::size_t left_ = 0;
  std::uint64_t steps_ = 0, started_ = 0;
  std::string failure_;
};

}  // namespace ap::faults
