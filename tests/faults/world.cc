#include "tests/faults/world.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ap::faults {

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

struct World::Task {
  Task(World& in, Process& of, std::uint64_t seed) : world(in), process(of), entropy(seed) {}
  World& world;
  Process& process;
  Random entropy;
  std::condition_variable turn;
  const std::function<std::uint64_t()>* ready_at = nullptr;  ///< while it waits
  std::uint64_t deadline = kNever;
  bool ended = false;
  std::thread thread;
};

World::World(std::uint64_t seed) : random(seed) {}
World::~World() = default;

namespace {
thread_local void* this_task = nullptr;
}

Process* World::running() { return this_task ? &static_cast<Task*>(this_task)->process : nullptr; }

bool World::draw_entropy(void* out, std::size_t bytes) {
  if (!this_task) return false;
  Random& entropy = static_cast<Task*>(this_task)->entropy;
  auto* at = static_cast<std::uint8_t*>(out);
  while (bytes > 0) {
    const std::uint64_t word = entropy.next();
    const std::size_t part = std::min(bytes, sizeof(word));
    std::memcpy(at, &word, part);
    at += part;
    bytes -= part;
  }
  return true;
}

void World::start(Process& process, std::function<void()> body) {
  auto made = std::make_unique<Task>(*this, process, random.next() ^ ++started_);
  Task* task = made.get();
  tasks_.push_back(std::move(made));
  ++left_;
  task->thread = std::thread([this, task, body = std::move(body)] {
    {
      std::unique_lock lock(mutex_);
      task->turn.wait(lock, [&] { return current_ == task; });
    }
    this_task = task;
    try {
      body();
    } catch (const Stopped&) {
    } catch (const std::exception& error) {
      failure_ = std::string("a task threw: ") + error.what();
    }
    this_task = nullptr;
    const std::lock_guard lock(mutex_);
    task->ended = true;
    --left_;
    current_ = left_ > 0 ? choose() : nullptr;
    if (current_) {
      current_->turn.notify_one();
    } else {
      finished_.notify_one();
    }
  });
}

/// The next to run. Moves the clock on if all wait.
World::Task* World::choose() {
  std::vector<Task*> able;
  for (;;) {
    std::uint64_t next = kNever;
    for (const auto& task : tasks_) {
      if (task->ended) continue;
      std::uint64_t at = 0;
      if (task->ready_at && !task->process.dead) at = std::min((*task->ready_at)(), task->deadline);
      if (at <= now_ms) able.push_back(task.get());
      next = std::min(next, at);
    }
    if (!able.empty()) return able[random.below(able.size())];
    if (next == kNever) {
      if (failure_.empty()) failure_ = "all tasks wait for each other for ever";
      for (const auto& task : tasks_) task->process.dead = true;
      continue;
    }
    now_ms = next;
  }
}

void World::let_another_run() {
  auto* me = static_cast<Task*>(this_task);
  std::unique_lock lock(mutex_);
  Task* const next = choose();
  if (next == me) return;
  current_ = next;
  next->turn.notify_one();
  me->turn.wait(lock, [&] { return current_ == me; });
}

void World::run() {
  {
    std::unique_lock lock(mutex_);
    if (left_ > 0) {
      current_ = choose();
      current_->turn.notify_one();
      finished_.wait(lock, [&] { return left_ == 0; });
    }
  }
  for (const auto& task : tasks_) task->thread.join();
  tasks_.clear();
  if (!failure_.empty()) throw std::runtime_error(failure_);
}

bool World::step(const Process& of, bool others_may_run) {
  auto& process = const_cast<Process&>(of);
  if (process.dead) return false;
  if (!this_task) return true;
  if (++steps_ > kMaxSteps) {
    if (failure_.empty()) failure_ = "a task gets nowhere";
    for (const auto& task : tasks_) task->process.dead = true;
    return false;
  }
  if (++process.steps == process.dies_at) {
    process.dead = true;
    if (on_death) on_death(process);
    return false;
  }
  constexpr std::uint64_t kTurns = 4;  // one step in so many lets another task run
  if (others_may_run && left_ > 1 && random.below(kTurns) == 0) let_another_run();
  return !process.dead;
}

bool World::wait(const std::function<std::uint64_t()>& ready_at, std::uint64_t deadline) {
  auto* me = static_cast<Task*>(this_task);
  if (me->process.dead) throw Stopped{};
  me->ready_at = &ready_at;
  me->deadline = deadline;
  if (ready_at() > now_ms) let_another_run();
  me->ready_at = nullptr;
  if (me->process.dead) throw Stopped{};
  return ready_at() <= now_ms;
}

}  // namespace ap::faults
