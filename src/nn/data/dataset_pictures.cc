// Folders of pictures: PNG and JPEG files, or one folder of them for each class.
#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "nn/data/dataset_formats.h"

namespace ap::nn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{64} << 20;
constexpr std::size_t kMaxFolders = 1 << 16, kMaxFiles = 10'000'000;
constexpr std::size_t kNamesInNotes = 5;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool is_picture(const fs::path& path) {
  const std::string extension = lower(path.extension().string());
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".jpe" ||
         extension == ".jfif";
}

/// What file managers leave behind: .DS_Store, ._x.png, Thumbs.db and the folder that macOS adds to archives.
bool is_hidden(const std::string& name) {
  return name.front() == '.' || name == "Thumbs.db" || name == "desktop.ini" || name == "__MACOSX";
}

/// What stands in a folder, each sorted by name.
struct Listing {
  std::vector<std::string> pictures, folders, others;
};

Listing list(const fs::path& folder) {
  Listing found;
  std::error_code error;
  std::size_t count = 0;
  for (auto i = fs::directory_iterator(folder, error); !error && i != fs::directory_iterator();
       i.increment(error)) {
    if (++count > kMaxFiles) fail_input("{} holds more than {} files; divide it", folder.string(), kMaxFiles);
    const std::string name = i->path().filename().string();
    std::error_code unknown;
    if (is_hidden(name)) continue;
    // A folder named like a picture is a mistake that reading it tells of.
    const bool is_folder = i->is_directory(unknown) && !is_picture(i->path());
    (is_folder ? found.folders : is_picture(i->path()) ? found.pictures : found.others).push_back(name);
  }
  if (error) fail_input("cannot list the folder {}: {}", folder.string(), error.message());
  for (auto* names : {&found.pictures, &found.folders, &found.others}) std::ranges::sort(*names);
  return found;
}

/// "a.txt, b.bmp and 3 more".
std::string some_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kNamesInNotes); ++i)
    out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kNamesInNotes ? fmt::format("{} and {} more", out, names.size() - kNamesInNotes)
                                      : out;
}

void note_left_out(const std::vector<std::string>& names, const std::string& folder,
                   std::vector<std::string>& notes) {
  if (names.empty()) return;
  notes.push_back(fmt::format("{} other {} of {} left out, neither PNG nor JPEG by name: {}", names.size(),
                              names.size() == 1 ? "entry" : "entries", folder, some_of(names)));
}

struct Files {
  std::vector<std::string> names;  ///< below the folder
  std::vector<int> labels;
  std::vector<std::string> classes, notes;
};

/// Picture k of every class stands before picture k + 1 of any, so that the first N show all classes alike.
Files by_class(const fs::path& folder, const Listing& top) {
  Files files;
  if (top.folders.size() > kMaxFolders)
    fail_input("{} holds more than {} folders", folder.string(), kMaxFolders);
  std::vector<std::vector<std::string>> pictures;
  std::vector<std::string> others = top.others;
  std::size_t most = 0;
  for (const std::string& name : top.folders) {
    const Listing inside = list(folder / name);
    if (inside.pictures.empty()) {
      if (!inside.folders.empty()) {
        fail_input(
            "{} holds no pictures but folders ({}); give the folder whose folders are the classes, as in images:{}",
            (folder / name).string(), some_of(inside.folders), (folder / name).string());
      }
      fail_input("{} holds no PNG or JPEG file; each folder of {} is a class, so remove it or fill it",
                 (folder / name).string(), folder.string());
    }
    for (const auto* more : {&inside.folders, &inside.others}) {
      for (const std::string& other : *more) others.push_back(name + "/" + other);
    }
    most = std::max(most, inside.pictures.size());
    pictures.push_back(inside.pictures);
  }
  for (std::size_t k = 0; k < most; ++k) {
    for (std::size_t c = 0; c < pictures.size(); ++c) {
      if (k >= pictures[c].size()) continue;
      files.names.push_back(top.folders[c] + "/" + pictures[c][k]);
      files.labels.push_back(static_cast<int>(c));
    }
  }
  files.classes = top.folders;
  note_left_out(others, folder.string(), files.notes);
  return files;
}

Files files_of(const fs::path& folder) {
  std::error_code error;
  if (fs::is_regular_file(folder, error)) {
    Files one;
    one.names.emplace_back();
    return one;
  }
  const Listing top = list(folder);
  if (top.pictures.empty() && !top.folders.empty()) return by_class(folder, top);
  if (top.pictures.empty()) {
    fail_input("{} holds no PNG or JPEG file (.png, .jpg or .jpeg){}", folder.string(),
               top.others.empty() ? std::string() : "; it holds " + some_of(top.others) + "; convert them");
  }
  Files files;
  files.names = top.pictures;
  std::vector<std::string> others = top.others;
  for (const std::string& name : top.folders) others.push_back(name + "/");
  note_left_out(others, folder.string(), files.notes);
  return files;
}

/// Counts of what the rules of picture.h changed.
struct Changed {
  std::size_t alpha = 0, turned = 0, jpeg = 0;
  void count(const Picture& picture) {
    alpha += picture.had_alpha ? 1 : 0;
    turned += picture.was_turned ? 1 : 0;
    jpeg += picture.is_jpeg ? 1 : 0;
  }
  void note(std::size_t all, std::vector<std::string>& notes) const {
    // A network trained on one of them may see the difference.
    if (jpeg > 0 && jpeg < all)
      notes.push_back(fmt::format("{} of {} pictures are JPEG files, the others PNG", jpeg, all));
    if (alpha > 0)
      notes.push_back(fmt::format("the alpha channel of {} of {} pictures is left out", alpha, all));
    if (turned > 0)
      notes.push_back(
          fmt::format("{} of {} pictures were turned upright by their EXIF orientation", turned, all));
  }
};

}  // namespace

Dataset read_pictures(const fs::path& folder, int channels, Range range, const LoadOptions& options) {
  Files files = files_of(folder);
  const Selection wanted = select(range, files.names.size(), 1, folder.string());
  Dataset out;
  out.classes = std::move(files.classes);
  out.notes = std::move(files.notes);
  Changed changed;
  Progress bar("reading pictures", wanted.count, options.progress);
  for (std::uint64_t i = 0; i < wanted.count; ++i, bar.advance()) {
    const std::string& name = files.names[wanted.begin + i];
    const std::string path = name.empty() ? folder.string() : (folder / name).string();
    Picture picture = decode_picture(read_file(path, kMaxFileBytes), path);
    changed.count(picture);
    if (channels == 0) channels = picture.channels;
    picture = options.framing.apply(with_channels(std::move(picture), channels), path);
    const Shape shape{picture.channels, picture.height, picture.width};
    if (i == 0) {
      out.shape = shape;
      select(range, files.names.size(), static_cast<std::uint64_t>(shape.size()), folder.string());
    } else if (!(shape == out.shape)) {
      fail_input(
          "{} has {} rows and {} columns, but {} has {} and {}; all pictures must have one size: --resize and --crop give them one",
          path, shape.h, shape.w, (folder / files.names[wanted.begin]).string(), out.shape.h, out.shape.w);
    }
    const auto planes = static_cast<std::size_t>(picture.channels);
    for (std::size_t c = 0; c < planes; ++c) {
      for (std::size_t p = c; p < picture.pixels.size(); p += planes) out.bytes.push_back(picture.pixels[p]);
    }
    out.names.push_back(name.empty() ? folder.filename().string() : name);
    if (!files.labels.empty()) out.labels.push_back(files.labels[wanted.begin + i]);
  }
  changed.note(out.names.size(), out.notes);
  return out;
}

}  // namespace ap::nn
