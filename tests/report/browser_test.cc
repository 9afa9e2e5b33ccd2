// Opens a report in headless Chromium as a phone and as a desktop would, light and dark. Chromium's windows
// are at least 500 pixels wide, so the widths are those of frames in a wrapping page, which collects what a
// small script, added to a copy of the report, finds there.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "report/page.h"
#include "tests/base/temporary_directory.h"
#include "tests/report/sample_data.h"

namespace ap::report {
namespace {

constexpr int kPhone = 390, kDesktop = 1280;

std::string output_of(const std::string& command) {
  std::string out;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 4096> buffer;
  for (std::size_t got = 1; pipe && got > 0;) {
    got = ::fread(buffer.data(), 1, buffer.size(), pipe.get());
    out.append(buffer.data(), got);
  }
  return out;
}

void write(const std::filesystem::path& path, const std::string& text) {
  write_file(path, ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The report with a script that tells the parent frame what it looks like once loaded.
std::string instrumented(const std::string& html) {
  const std::string probe = R"(<script>
const errors = [];
addEventListener('error', e => errors.push(e.message));
addEventListener('securitypolicyviolation', e => errors.push(e.violatedDirective));
addEventListener('load', () => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const root = document.documentElement, box = e => e.getBoundingClientRect();
  const small = [...document.querySelectorAll('figure svg')].filter(s => box(s).width < 200 || box(s).height < 100);
  const outside = [...document.querySelectorAll('figure svg')].flatMap(s => [...s.querySelectorAll('text,path')].filter(t => {
    const a = box(s), b = box(t);
    return b.left < a.left - 2 || b.right > a.right + 2 || b.top < a.top - 2 || b.bottom > a.bottom + 2;
  }).map(t => t.textContent || t.getAttribute('d')));
  parent.postMessage({
    width: root.clientWidth, scroll: root.scrollWidth, errors, small: small.length, outside,
    dark: matchMedia('(prefers-color-scheme: dark)').matches,
    paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
    figures: document.querySelectorAll('figure').length}, '*');
});
</script></head>)";
  return replaced(
      replaced(html, "style-src 'unsafe-inline'", "style-src 'unsafe-inline'; script-src 'unsafe-inline'"),
      "</head>", probe);
}

std::string wrapper() {
  std::string html = R"(<!doctype html><script>
const seen = [];
addEventListener('message', e => {
  seen.push(e.data);
  document.documentElement.setAttribute('data-seen', btoa(unescape(encodeURIComponent(JSON.stringify(seen)))));
});
</script>)";
  for (const int width : {kPhone, kDesktop}) {
    html += "<iframe src=\"report.html\" style=\"border:0;width:" + std::to_string(width) +
            "px;height:844px\"></iframe>";
  }
  return html;
}

std::string decoded(const std::string& base64) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : base64) {
    const auto at =
        std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    if (at == std::string_view::npos) break;
    bits = (bits << 6U) | static_cast<std::uint32_t>(at);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
  }
  return out;
}

TEST(Browser, ReadsWellOnPhoneAndDesktopLightAndDark) {
  std::string chromium;
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
    if (chromium.empty() &&
        std::system(("command -v " + std::string(name) + " >/dev/null 2>&1").c_str()) == 0)
      chromium = name;
  }
  if (chromium.empty()) GTEST_SKIP() << "missing chromium, in which reports are opened";
  const TemporaryDirectory directory;
  Data data = test::full_data();
  // Long words do not widen the page either.
  data.rows[0].machine = std::string(180, 'W');
  data.plans[0].layers[0].name = std::string(150, 'n');
  write(directory.path() / "report.html",
        instrumented(page(data, "autoprivacy report " + std::string(180, 'c'))));
  write(directory.path() / "frames.html", wrapper());
  for (const bool dark : {false, true}) {
    const std::string dom = output_of(
        "timeout -k 5 120 " + chromium +
        " --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1800,1000 --user-data-dir=" +
        (directory.path() / "profile").string() +
        " --virtual-time-budget=5000 --blink-settings=preferredColorScheme=" + (dark ? "0" : "1") +
        " --dump-dom file://" + (directory.path() / "frames.html").string() + " 2>/dev/null");
    const std::string key = "data-seen=\"";
    const std::size_t at = dom.find(key);
    ASSERT_NE(at, std::string::npos) << dom.substr(0, 500);
    const Json seen = Json::parse(decoded(dom.substr(at + key.size())));
    ASSERT_EQ(seen.size(), 2u);
    std::set<int> widths;
    for (const Json& frame : seen) {
      const int width = frame["width"];
      widths.insert(width);
      EXPECT_LE(frame["scroll"], width) << "the page scrolls sideways";
      EXPECT_EQ(frame["errors"], Json::array());
      EXPECT_EQ(frame["small"], 0) << width;
      EXPECT_EQ(frame["outside"], Json::array()) << width;
      EXPECT_EQ(frame["figures"], 11) << width;
      EXPECT_EQ(frame["dark"], dark);
      EXPECT_EQ(frame["paper"], dark ? "rgb(15, 20, 25)" : "rgb(255, 255, 255)");
      EXPECT_NE(frame["paper"], frame["ink"]);
    }
    EXPECT_EQ(widths, (std::set<int>{kPhone, kDesktop}));
  }
}

}  // namespace
}  // namespace ap::report
