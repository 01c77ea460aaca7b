#pragma once

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tuile/truth/features.hpp"
#include "tuile/truth/layer.hpp"

namespace tuile::test {

/// Little-endian WKB, put together by hand.
class WkbText {
 public:
  template <class T>
  WkbText& put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    text_.append(raw, sizeof(T));
    return *this;
  }
  WkbText& head(std::uint32_t code) { return put<std::uint8_t>(1).put(code); }
  WkbText& count(std::uint32_t value) { return put(value); }
  WkbText& place(double x, double y) { return put(x).put(y); }
  WkbText& add(const std::string& part) {
    text_ += part;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

inline std::string rectangle_wkb(const Bounds& b) {
  return WkbText()
      .head(3)
      .count(1)
      .count(5)
      .place(b.min_x, b.min_y)
      .place(b.max_x, b.min_y)
      .place(b.max_x, b.max_y)
      .place(b.min_x, b.max_y)
      .place(b.min_x, b.min_y)
      .text();
}

inline std::string segment_wkb(double x0, double y0, double x1, double y1) {
  return WkbText().head(2).count(2).place(x0, y0).place(x1, y1).text();
}

/// An object of the fake source, and where it is.
struct FakeObject {
  truth::Feature feature;
  Bounds bounds;
};

inline FakeObject rectangle(const std::string& id, const Bounds& b) {
  return {
      {id, rectangle_wkb(b), {{"cleabs", id}, {"hauteur", 3.5}, {"etages", std::int64_t{2}}, {"nature", std::string("Indifférenciée")}}},
      b};
}

/// A source in memory that counts what it is asked, takes as long and fails as it is told. Tests set its members before they use it.
class FakeSource : public truth::FeatureSource {
 public:
  struct Call {
    std::string layer;
    Bounds box;
    int epsg;
  };

  explicit FakeSource(bool remote) : remote_(remote) {}

  std::map<std::string, std::vector<FakeObject>> layers;
  std::chrono::milliseconds latency{0};
  std::optional<Bounds> coverage;  ///< boxes that are not inside it fail, as those of files do
  std::function<std::optional<truth::FetchResult>(const Call&)> instead;
  std::string told_identity = "fake", told_edition = "2026-06";

  std::string name() const override { return "fake"; }
  std::string identity() const override { return told_identity; }
  std::string edition(std::stop_token) override { return told_edition; }
  bool is_remote() const override { return remote_; }
  truth::FetchResult fetch(const std::string& layer, const Bounds& box, int epsg, std::stop_token stop) override {
    const Call call{layer, box, epsg};
    {
      std::unique_lock lock(mutex_);
      calls_.push_back(call);
      if (latency.count() > 0) never_.wait_for(lock, stop, latency, [] { return false; });
    }
    if (stop.stop_requested()) throw Cancelled("stopped");
    if (instead) {
      if (auto result = instead(call)) return *result;
    }
    truth::FetchResult result;
    if (coverage && coverage->intersection(box) != box) {
      result.reason = "the box is not inside the layer's extent";
      result.kind = ErrorKind::not_found;
      return result;
    }
    for (const FakeObject& object : layers[layer]) {
      if (object.bounds.intersects(box)) result.features.push_back(object.feature);
    }
    std::sort(result.features.begin(), result.features.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    result.outcome = result.features.empty() ? Outcome::confirmed_empty : Outcome::data;
    return result;
  }

  std::vector<Call> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  std::size_t count(const std::string& layer) const {
    const auto all = calls();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Call& call) { return call.layer == layer; }));
  }

 private:
  const bool remote_;
  mutable std::mutex mutex_;
  std::condition_variable_any never_;
  std::vector<Call> calls_;
};

inline truth::FetchResult fake_failure(Outcome outcome, const std::string& reason, ErrorKind kind = ErrorKind::io) {
  truth::FetchResult result;
  result.outcome = outcome;
  result.reason = reason;
  result.kind = kind;
  return result;
}

inline truth::Layer plain_layer(const std::string& name) {
  truth::Layer layer;
  layer.name = name;
  return layer;
}

/// Lines that become bands of 2 · (otherwise + plus) metres.
inline truth::Layer band_layer(const std::string& name, double half_width) {
  truth::Layer layer = plain_layer(name);
  layer.buffer.emplace();
  layer.buffer->otherwise = half_width;
  layer.buffer->flat_caps = true;
  return layer;
}

}  // namespace tuile::test
