#!/usr/bin/env bash
# demo.sh TUILE FOLDER: makes a small synthetic town in FOLDER/town, computes its features and labels into FOLDER/out, checks them and says how to look at them.
set -euo pipefail
tuile=$1
folder=$2

rm -rf "$folder/town" "$folder/out"  # the demo shows a whole run, not that tiles already done are skipped
mkdir -p "$folder"
"$tuile" synth -o "$folder/town"
"$tuile" process "$folder/town/tiles" -o "$folder/out" --ground-truth "$folder/town/bdtopo.gpkg"
"$tuile" verify "$folder/out"

first=$(find "$folder/out" -name '*.npz' | sort | sed -n 1p)
cat <<EOF

The outputs are in $folder/out:
$(cd "$folder/out" && find . -type f | sort | sed -n 1,8p | sed 's|^\./|  |')
  … $(find "$folder/out" -name '*.npz' | wc -l) tiles in all

NAME.npz   xyz (N,3) float32 metres relative to origin · features (N,F) float32, its columns in feature_names · classification (N,) · valid (N,)
           labels (N,) · label_source (N,) the layer they come from · label_object (N,) row of object_ids
NAME.json  what it was made from and with, and statistics of every feature
Row i is point i of the tile.

Look at one:
  /usr/bin/python3 -c "import numpy as np; t = np.load('$first'); print(t['feature_names']); print(t['features'][:3])"
EOF
