#include "app/ledger.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/ranges.h>

#include "app/ledger_file.h"
#include "base/error.h"

namespace ap::app {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();  // of what SQLite stores
// Written down ahead at most, and not more than this part of what is left: what a crash may cost.
constexpr std::uint64_t kAhead = 16, kAheadPart = 64;

std::uint64_t saturated(Wide value) { return value > kMax ? kMax : static_cast<std::uint64_t>(value); }

/// used * to / from, rounded up: what `used` inferences of a package that promises `from` are worth in
/// inferences of one that promises `to`. Each uses up one part in `from` of what may leak.
std::uint64_t converted(std::uint64_t used, std::uint64_t from, std::uint64_t to) {
  return saturated((Wide{used} * to + from - 1) / from);
}

}  // namespace

Ledger::Ledger(const std::filesystem::path& file, const Allowance& allowance)
    : allowance_(allowance), file_(std::make_unique<LedgerFile>(file, true)), is_new_(file_->is_new()) {
  AP_ASSERT(allowance.counts());
  allowance_.promised = std::min(allowance_.promised, kMax);
  allowance_.most = std::min(allowance_.most, kMax);
}

Ledger::~Ledger() {
  try {
    LedgerTransaction transaction(*file_);
    for (const auto& [client, count] : ahead_) {
      LedgerStatement(*file_, "UPDATE prepared SET used = used - ? WHERE client = ? AND package = ?")
          .bind(static_cast<std::int64_t>(count))
          .bind(client)
          .bind(ByteView(allowance_.package))
          .step();
    }
    transaction.commit();
  } catch (const Error&) {
    // What was written down ahead stays counted.
  }
}

void Ledger::join(const Client& client) {
  if (client.name.empty()) return;
  LedgerStatement(*file_, "INSERT OR IGNORE INTO member(grp, client) VALUES(?, ?)")
      .bind(client.group)
      .bind(client.name)
      .step();
}

void Ledger::remember(const std::vector<Client>& clients) {
  const std::lock_guard lock(mutex_);
  file_->expect_in_place();
  LedgerTransaction transaction(*file_);
  for (const Client& client : clients) join(client);
  transaction.commit();
}

void Ledger::add(const std::string& client, std::uint64_t count) {
  LedgerStatement(*file_,
                  "INSERT INTO prepared(client, package, promised, used) VALUES(?, ?, ?, ?)"
                  " ON CONFLICT DO UPDATE SET used = used + excluded.used, promised = excluded.promised")
      .bind(client)
      .bind(ByteView(allowance_.package))
      .bind(static_cast<std::int64_t>(allowance_.promised))
      .bind(static_cast<std::int64_t>(count))
      .step();
}

/// Clients without a name may be anybody, so they count for every group. Groups that ever had a client in
/// common are one: what one of them saw, that client may have told the other.
Standing Ledger::sum(const std::string& group) {
  LedgerStatement rows(
      *file_,
      "WITH RECURSIVE pool(grp) AS (SELECT ?1 UNION SELECT theirs.grp FROM pool"
      " JOIN member AS ours ON ours.grp = pool.grp JOIN member AS theirs ON theirs.client = ours.client)"
      " SELECT package, promised, sum(used) FROM prepared WHERE ?1 = '' OR client = '' OR client IN"
      " (SELECT client FROM member WHERE grp IN (SELECT grp FROM pool)) GROUP BY package, promised");
  rows.bind(group);
  Wide all = 0, worth = 0;
  while (rows.step()) {
    const Bytes package = rows.blob(0);
    const std::uint64_t promised = rows.count(1), used = rows.count(2);
    all += used;
    if (std::ranges::equal(package, allowance_.package)) {
      worth += used;
    } else if (promised > 0) {
      worth += converted(used, promised, allowance_.promised);
    }
  }
  const Standing by_promise{saturated(worth), allowance_.promised}, by_limit{saturated(all), allowance_.most};
  if (allowance_.promised == 0) return by_limit;
  if (allowance_.most == 0) return by_promise;
  return by_limit.remaining() < by_promise.remaining() ? by_limit : by_promise;
}

Standing Ledger::standing(const std::string& group) {
  const std::lock_guard lock(mutex_);
  return sum(group);
}

void Ledger::say_if_nearly_used(const std::string& group, const Standing& now) {
  if (now.remaining() > now.limit / 10 || said_[group]) return;
  said_[group] = true;
  if (on_nearly_used) on_nearly_used(group, now);
}

protocol::Permission Ledger::count(const Client& client) {
  using protocol::PrepareAnswer;
  const std::lock_guard lock(mutex_);
  std::uint64_t& ahead = ahead_[client.name];
  if (ahead > 0) {
    --ahead;
    return {};
  }
  file_->expect_in_place();
  LedgerTransaction transaction(*file_);
  join(client);
  Standing now = sum(client.group);
  if (now.remaining() == 0) {
    transaction.commit();  // of the membership, which counts all the same
    return {PrepareAnswer::used_up, now.limit};
  }
  std::uint64_t block = std::min(kAhead, std::max(now.remaining() / kAheadPart, std::uint64_t{1}));
  if (client.limit > 0) {
    LedgerStatement own(*file_, "SELECT coalesce(sum(used), 0) FROM prepared WHERE client = ?");
    own.bind(client.name).step();
    if (own.count(0) >= client.limit) return {PrepareAnswer::client_limit, client.limit};
    block = std::min(block, client.limit - own.count(0));
  }
  add(client.name, block);
  transaction.commit();
  ahead = block - 1;
  now.prepared += block;
  say_if_nearly_used(client.group, now);
  return {};
}

std::vector<Ledger::Row> Ledger::read(const std::filesystem::path& file) {
  LedgerFile ledger(file, false);
  std::vector<Row> rows;
  LedgerStatement found(ledger,
                        "SELECT client, package, promised, used FROM prepared ORDER BY client, promised");
  while (found.step()) {
    Row row;
    row.client = found.text(0);
    row.package = fmt::format("{:02x}", fmt::join(found.blob(1), ""));
    row.promised = found.count(2);
    row.prepared = found.count(3);
    LedgerStatement groups(ledger, "SELECT grp FROM member WHERE client = ? ORDER BY grp");
    groups.bind(row.client);
    while (groups.step()) row.groups.push_back(groups.text(0));
    rows.push_back(std::move(row));
  }
  return rows;
}

double Ledger::used_share(const std::vector<Row>& rows, const std::string& group) {
  // Groups that ever had a client in common are one.
  std::set<std::string> pool{group};
  for (bool grew = true; grew;) {
    const std::size_t before = pool.size();
    for (const Row& row : rows) {
      if (std::ranges::any_of(row.groups, [&](const std::string& g) { return pool.contains(g); }))
        pool.insert(row.groups.begin(), row.groups.end());
    }
    grew = pool.size() > before;
  }
  double share = 0;
  for (const Row& row : rows) {
    const bool counts =
        group.empty() || row.client.empty() ||
        std::ranges::any_of(row.groups, [&](const std::string& g) { return pool.contains(g); });
    if (counts && row.promised > 0)
      share += static_cast<double>(row.prepared) / static_cast<double>(row.promised);
  }
  return share;
}

}  // namespace ap::app
