#include "base/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/wipe_objects.h"

namespace ap {
namespace {

template <typename T>
bool aligned(const T* p) {
  return reinterpret_cast<std::uintptr_t>(p) % 64 == 0;
}

TEST(Memory, WipeClearsExactlyItsRange) {
  std::array<std::uint8_t, 32> bytes;
  bytes.fill(0xab);
  wipe(bytes.data() + 3, 10);
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], i >= 3 && i < 13 ? 0 : 0xab) << i;
  wipe(nullptr, 0);
}

TEST(Memory, VectorsAreAlignedToCacheLines) {
  for (const std::size_t size : {1, 3, 17, 1000, 65537}) {
    EXPECT_TRUE(aligned(AlignedVector<std::uint8_t>(size).data())) << size;
    EXPECT_TRUE(aligned(SecretVector<std::uint8_t>(size).data())) << size;
    EXPECT_TRUE(aligned(AlignedVector<std::uint64_t>(size).data())) << size;
    EXPECT_TRUE(aligned(SecretVector<std::uint64_t>(size).data())) << size;
  }
}

TEST(Memory, AlignmentSurvivesGrowth) {
  SecretVector<std::uint32_t> v;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    v.push_back(i);
    ASSERT_TRUE(aligned(v.data()));
  }
  for (std::uint32_t i = 0; i < 5000; ++i) ASSERT_EQ(v[i], i);
}

// Freed memory must not be read, so the wiping is watched from inside: storage that the test owns is "freed"
// to a replaced operator delete that looks at it before giving it back.
struct Watch {
  const std::uint8_t* storage = nullptr;
  std::size_t bytes = 0;
  bool seen = false;
  bool all_zero = false;
};
thread_local Watch watch;

void look(void* p) {
  if (!watch.storage || p != watch.storage) return;
  watch.seen = true;
  watch.all_zero =
      std::all_of(watch.storage, watch.storage + watch.bytes, [](std::uint8_t b) { return b == 0; });
  watch.storage = nullptr;
}

template <typename Vector>
void start_watching(const Vector& v) {
  watch = Watch{reinterpret_cast<const std::uint8_t*>(v.data()), v.capacity() * sizeof(v[0]), false, false};
}

TEST(Memory, ASecretIsZeroWhenItIsDestroyed) {
  for (const std::size_t size : {std::size_t{300}, kLargeBlock / 8, kLargeBlock}) {
    {
      SecretVector<std::uint64_t> secret(size, 0x5ec4e7);
      start_watching(secret);
    }
    EXPECT_TRUE(watch.seen) << size;
    EXPECT_TRUE(watch.all_zero) << size;
  }
}

TEST(Memory, LargeBlocksAreAlignedAndWhole) {
  AlignedVector<std::uint8_t> large(kLargeBlock), odd(3 * kLargeBlock + 5, 0x77);
  EXPECT_TRUE(aligned(large.data()));
  EXPECT_TRUE(std::all_of(odd.begin(), odd.end(), [](std::uint8_t b) { return b == 0x77; }));
  large.back() = 0x55;
  large.resize(kLargeBlock + 1);  // from one large block to another
  EXPECT_TRUE(aligned(large.data()));
  EXPECT_EQ(large[kLargeBlock - 1], 0x55);
}

TEST(Memory, ASecretIsZeroWhenItsStorageIsLeftByGrowth) {
  SecretVector<std::uint8_t> secret(100, 0x77);
  start_watching(secret);
  secret.resize(secret.capacity() + 1, 0x77);
  EXPECT_TRUE(watch.seen);
  EXPECT_TRUE(watch.all_zero);
}

TEST(Memory, ElementsBeyondTheSizeAreWipedToo) {
  {
    SecretVector<std::uint8_t> secret(100, 0x77);
    secret.resize(10);
    start_watching(secret);
  }
  EXPECT_TRUE(watch.seen);
  EXPECT_TRUE(watch.all_zero);
}

TEST(Memory, MovingHandsOverTheStorageInsteadOfCopyingTheSecret) {
  SecretVector<std::uint8_t> from(100, 0x77);
  const std::uint8_t* storage = from.data();
  const SecretVector<std::uint8_t> to = std::move(from);
  EXPECT_EQ(to.data(), storage);
}

TEST(Memory, ObjectsAreWipedAsAWhole) {
  std::array<std::uint64_t, 3> numbers{1, 2, 3};
  std::uint32_t word = 7;
  wipe_objects(numbers, word);
  EXPECT_EQ(numbers, (std::array<std::uint64_t, 3>{}));
  EXPECT_EQ(word, 0U);
}

TEST(Memory, AnAlignedVectorIsNotWiped) {
  {
    AlignedVector<std::uint8_t> open(100, 0x77);
    start_watching(open);
  }
  EXPECT_TRUE(watch.seen);
  EXPECT_FALSE(watch.all_zero) << "the watch itself must be able to see unwiped memory";
}

}  // namespace
}  // namespace ap

// Only the aligned forms, which the vectors under test use, are replaced.
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p, std::align_val_t) noexcept {
  ap::look(p);
  std::free(p);
}
void operator delete(void* p, std::size_t, std::align_val_t alignment) noexcept {
  operator delete(p, alignment);
}
