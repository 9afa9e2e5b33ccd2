// autoprivacy profile: measures the unit costs of this machine and caches them for predictions.
#include <fmt/format.h>

#include <cmath>

#include "analysis/prediction/predict.h"
#include "analysis/profile/profile_cache.h"
#include "analysis/profile/profile_measure.h"
#include "cli/common.h"
#include "cli/table.h"
#include "package/package.h"

namespace ap::cli {
namespace {

std::string text_of(const cost::Profile& profile, const std::string& where) {
  using enum Table::Align;
  const auto micro = [](double seconds) { return fmt::format("{:.2f}", 1e6 * seconds); };
  const auto nano = [](double seconds) { return fmt::format("{:.2f}", 1e9 * seconds); };
  Table rings(
      {{"N"}, {"primes"}, {"bits up to"}, {"encrypt"}, {"load"}, {"product"}, {"re-share"}, {"decrypt"}});
  for (const cost::RingCosts& r : profile.rings) {
    rings.row({fmt::format("{}", r.n), fmt::format("{}", r.primes), fmt::format("{}", r.prime_bits),
               micro(r.upload_client), micro(r.upload_server), micro(r.product), micro(r.reply_server),
               micro(r.reply_client)});
  }
  Table rest({{"operation", left}, {"ns"}});
  rest.row({"garble an AND", nano(profile.garbling.garble_and)});
  rest.row({"evaluate an AND", nano(profile.garbling.evaluate_and)});
  rest.row({"OT extension of a bit, both parties",
            nano(profile.garbling.columns_bit_client + profile.garbling.columns_bit_server)});
  rest.row(
      {"silent transfer, both parties", nano(profile.ot.large_row_sender + profile.ot.large_row_receiver)});
  rest.row({"clear product of integers", nano(profile.clear.many_pixels)});
  rest.row({"byte to the server over TLS, both parties", nano(profile.network.byte_up)});
  rest.row({"byte to the client over TLS, both parties", nano(profile.network.byte_down)});
  rest.row({"message, both parties", nano(profile.network.message)});
  rest.row({"round trip on this machine", nano(profile.network.round_trip)});
  return fmt::format("{}\n\nprocessor time of a polynomial, microseconds\n{}\n{}\n{}\n", profile.machine,
                     rings.text(), rest.text(), where);
}

/// What a package costs with both parties on this machine.
void predict(const std::string& path, std::uint64_t images) {
  const package::Package package = package::load(path, Party::client);
  const protocol::Model model(package.network, package.plan);
  const cost::Profile profile = cost::machine_profile();
  const cost::Prediction p = protocol::predict(
      model, profile, cost::Setting::local(profile.cores, profile.network.round_trip), images);
  print(Json{{"images", images},
             {"offline_s", p.offline.seconds},
             {"online_s", p.online.seconds},
             {"bytes", std::llround(p.offline.bytes() + p.online.bytes())},
             {"offline", phase_json(p.offline)},
             {"online", phase_json(p.online)},
             {"session", phase_json(p.session)}});
}

void profile(bool json) {
  const std::filesystem::path path = cost::default_cache_path();
  const cost::Profile measured = cost::measure_profile(!json);
  const bool saved = cost::save_profile(measured, path);
  if (json) {
    Json object = Json::parse(cost::to_json(measured));
    object["file"] = saved ? Json(path.string()) : Json(nullptr);
    print(object);
  } else {
    print(
        text_of(measured, saved ? "cached in " + path.string() : "not cached: no writable cache directory"));
  }
}

}  // namespace

void add_profile(CLI::App& app, Action& action) {
  auto json = std::make_shared<bool>(false);
  auto package = std::make_shared<std::string>();
  auto images = std::make_shared<std::uint64_t>(protocol::kTypicalSession);
  CLI::App* command = app.add_subcommand("profile", "Measure this machine's unit costs, for predictions");
  command->add_flag("--json", *json, "Print JSON");
  command
      ->add_option("--predict", *package,
                   "Predict instead, as JSON, what a package costs by the cached profile")
      ->type_name("client.apm");
  command->add_option("--images", *images, "Images of the predicted session")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->callback(
      [=, &action] { action = [=] { package->empty() ? profile(*json) : predict(*package, *images); }; });
}

}  // namespace ap::cli
