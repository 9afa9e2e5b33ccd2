#include "report/page.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "report/html.h"
#include "report/policy_style.h"
#include "report/sections.h"
#include "report/style.h"

namespace ap::report {
namespace {

std::string policies_used(const Data& data) {
  std::vector<std::pair<int, std::string>> lines;
  const auto add = [&](const std::string& policy) {
    const std::string_view meaning = policy_meaning(policy);
    if (meaning.empty()) return;
    const std::pair<int, std::string> line(
        policy_rank(policy),
        fmt::format("<li><b>{}</b>: {}</li>", escape(policy.substr(0, policy.find(' '))), meaning));
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
  };
  for (const Row& row : data.rows) add(row.policy);
  for (const PlanView& plan : data.plans) add(plan.policy);
  for (const Search& search : data.searches) add(search.policy);
  std::ranges::sort(lines);
  std::string out;
  for (const auto& [rank, line] : lines) out += line;
  return out.empty() ? out : "<details><summary>The policies</summary><ul>" + out + "</ul></details>\n";
}

}  // namespace

std::string page(const Data& data, const std::string& command) {
  if (data.empty()) {
    fail_input(
        "there is nothing to draw; give compiled directories, server.apm, search.json or results.json");
  }
  const Section sections[] = {summary_section(data), layers_section(data), search_section(data),
                              pareto_section(data),  gain_section(data),   noise_section(data)};
  std::string links, body, left_out;
  for (const Section& section : sections) {
    if (section.html.empty()) {
      left_out += fmt::format("<li><b>{}</b> {}</li>\n", section.title, escape(section.missing, 2000));
      continue;
    }
    links += fmt::format("<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
    body += fmt::format(
        "<section id=\"{0}\" aria-labelledby=\"{0}-title\"><h2 id=\"{0}-title\">{1}</h2>\n{2}</section>\n",
        section.id, section.title, section.html);
  }
  if (!left_out.empty()) {
    body +=
        "<section id=\"missing\" aria-labelledby=\"missing-title\"><h2 id=\"missing-title\">Left "
        "out</h2>\n<ul>" +
        left_out + "</ul></section>\n";
  }
  return fmt::format(
      R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>AutoPrivacy report: {0}</title>
<style>{1}</style>
</head>
<body>
<header>
<h1>AutoPrivacy report</h1>
<p class="source">Drawn from {2}.</p>
<nav aria-label="Sections"><ol>{3}</ol></nav>
{4}</header>
<main>
{5}</main>
<footer><p>Made by <code>{6}</code>. The file loads nothing and runs no script.</p></footer>
</body>
</html>
)",
      escape(fmt::format("{}", fmt::join(networks_of(data), ", "))), kStyleSheet,
      escape(fmt::format("{}", fmt::join(data.sources, ", ")), 2000), links, policies_used(data), body,
      escape(command, 2000));
}

}  // namespace ap::report
