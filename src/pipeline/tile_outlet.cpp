#include "pipeline/tile_outlet.hpp"

#include <filesystem>
#include <set>
#include <utility>

#include "pipeline/publish.hpp"
#include "pipeline/resources.hpp"
#include "tuile/core/file/atomic_file.hpp"
#include "tuile/core/file/temporaries.hpp"
#include "tuile/core/mutex.hpp"
#include "tuile/source/store.hpp"

namespace fs = std::filesystem;

namespace tuile::pipeline {

namespace {

class Files final : public TileOutlet {
 public:
  explicit Files(RunSetup& setup) : setup_(setup) {}

  void prepare() override {
    const std::string& output = setup_.config().output;
    create_folders(output);
    std::set<fs::path> folders{output};
    for (const PlannedTile& planned : setup_.plan.tiles) folders.insert(fs::path(planned.output).parent_path());
    for (const fs::path& folder : folders) remove_stale_temporaries(folder);
  }

  void take(const PlannedTile& planned, ComputedTile& computed) override { publish(planned, computed, setup_); }

  std::string spill_folder() const override { return setup_.config().output; }

  void report(const RunSummary& summary) override {
    if (setup_.options.run_report) save_run_report(summary, setup_.config().output);
  }

 private:
  RunSetup& setup_;
};

class Delivery final : public TileOutlet {
 public:
  explicit Delivery(RunSetup& setup) : setup_(setup) {}

  void take(const PlannedTile& planned, ComputedTile& computed) override {
    const catalog::TileEntry& tile = setup_.tile_of(planned);
    std::shared_ptr<const AssembledTile> input = std::move(computed.input);
    DeliveredTile delivered{.index = static_cast<std::size_t>(&planned - setup_.plan.tiles.data()),
                            .path = source::public_location(tile.path),
                            .name = tile.name,
                            .points = std::shared_ptr<const PointBlock>(input, input->core),
                            .features = std::move(computed.output.features),
                            .valid = std::move(computed.output.valid),
                            .epsg = tile.epsg,
                            .bounds = planned.bounds};
    if (computed.labels && computed.labels->labelled) {
      delivered.labels = std::move(computed.labels->block);
      delivered.objects = std::move(computed.labels->objects);
    }
    const MutexLock lock(mutex_);
    setup_.options.deliver(std::move(delivered));
  }

  std::string spill_folder() const override { return fs::temp_directory_path().string(); }

 private:
  RunSetup& setup_;
  Mutex mutex_;  ///< held while a tile is handed over
};

}  // namespace

std::unique_ptr<TileOutlet> make_outlet(RunSetup& setup) {
  if (setup.options.deliver) return std::make_unique<Delivery>(setup);
  return std::make_unique<Files>(setup);
}

}  // namespace tuile::pipeline
