# fish completion of tuile. Made from the command line's parser by `make docs`; a test compares. Do not edit by hand.

# Whether the command line so far is of the command $argv[1].
function __tuile_at
    set -l command
    for word in (commandline -opc)[2..]
        set -l longer (string trim -- "$command $word")
        contains -- $longer $__tuile_commands; and set command $longer
    end
    test "$command" = "$argv[1]"
end

# Words separated by commas.
function __tuile_list
    set -l before (string replace -r '^--[^=]*=' '' -- (commandline -ct) | string match -r '^.*,')
    for word in $argv
        echo "$before$word"
    end
end

# KEY=VALUE of the configuration.
function __tuile_settings
    set -l key (string replace -r '^--[^=]*=' '' -- (commandline -ct) | string match -r '^[^=]*=')
    switch "$key"
        case 'backend='
            printf 'backend=%s\n' auto cpu cuda
        case 'features.set='
            printf 'features.set=%s\n' minimal lod2 asprs lod3 full
        case 'features.missing='
            printf 'features.missing=%s\n' nan drop error
        case 'features.color_depth='
            printf 'features.color_depth=%s\n' 16 8
        case 'preprocess.statistical_outliers.enabled='
            printf 'preprocess.statistical_outliers.enabled=%s\n' true false
        case 'preprocess.radius_outliers.enabled='
            printf 'preprocess.radius_outliers.enabled=%s\n' true false
        case 'preprocess.voxel.enabled='
            printf 'preprocess.voxel.enabled=%s\n' true false
        case 'ground_truth.on_failure='
            printf 'ground_truth.on_failure=%s\n' fail_tile unlabelled
        case 'imagery.source='
            printf 'imagery.source=%s\n' tile none wms
        case 'write.formats='
            printf 'write.formats=%s\n' npz laz
        case 'write.npz.compression='
            printf 'write.npz.compression=%s\n' none deflate
        case 'write.laz.labels='
            printf 'write.laz.labels=%s\n' extra_bytes classification
        case ''
            printf '%s=\n' input output backend devices features.set features.k features.radius features.max_neighbors features.missing features.scales features.color_depth halo crs threads preprocess.exclude_classes preprocess.statistical_outliers.enabled preprocess.statistical_outliers.k preprocess.statistical_outliers.std preprocess.radius_outliers.enabled preprocess.radius_outliers.radius preprocess.radius_outliers.min_neighbors preprocess.voxel.enabled preprocess.voxel.size ground_truth.source ground_truth.wfs.url ground_truth.wfs.prefix ground_truth.wfs.page_size ground_truth.wfs.sort_by ground_truth.wfs.requests_per_second ground_truth.wfs.max_in_flight ground_truth.wfs.timeout ground_truth.wfs.retries ground_truth.cache.memory ground_truth.cache.disk ground_truth.cache.disk_size ground_truth.cache.max_age_days ground_truth.cache.cell ground_truth.on_failure ground_truth.layers imagery.source imagery.wms.url imagery.wms.rgb_layer imagery.wms.irc_layer imagery.wms.resolution imagery.wms.max_pixels imagery.wms.requests_per_second imagery.wms.max_in_flight imagery.wms.timeout imagery.wms.retries prefetch.workers prefetch.ahead prefetch.cache_tiles prefetch.retries prefetch.timeout memory.budget batch.size write.formats write.npz.compression write.laz.features write.laz.labels write.patches.enabled write.patches.size write.patches.overlap write.patches.points write.patches.seed report trace
    end
end

set -g __tuile_commands 'process' 'info' 'synth' 'truth' 'download' 'verify' 'config' 'config show' 'config check' 'config presets' 'bench' 'help'
complete -c tuile -f
complete -c tuile -n "__tuile_at ''" -a process -d 'Compute features of tiles: the main job'
complete -c tuile -n "__tuile_at ''" -a info -d 'What a file holds: header, CRS, bounds, density, extra dimensions'
complete -c tuile -n "__tuile_at ''" -a synth -d 'A synthetic town: adjoining LAZ tiles, ground truth and orthophotos, the same bytes for the same seed'
complete -c tuile -n "__tuile_at ''" -a truth -d 'Fetch the ground-truth layers of a tile, for a look in QGIS'
complete -c tuile -n "__tuile_at ''" -a download -d 'Fetch the published tiles of an area'
complete -c tuile -n "__tuile_at ''" -a verify -d 'Check finished outputs against their sidecars: files, sizes, checksums, counts'
complete -c tuile -n "__tuile_at ''" -a config -d 'The effective configuration, its check, and ready-made ones'
complete -c tuile -n "__tuile_at ''" -a bench -d 'Measure on tiles given or synthetic, each figure beside a baseline of the same run'
complete -c tuile -n "__tuile_at ''" -a help -d 'This help, or that of a command'
complete -c tuile -n "__tuile_at ''" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at ''" -l version -d 'Print the version and exit'
complete -c tuile -n "__tuile_at 'process'" -F -d 'Files, folders, globs, http(s) URLs, or @list.txt'
complete -c tuile -n "__tuile_at 'process'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'process'" -s c -l config -r -F -d 'YAML configuration'
complete -c tuile -n "__tuile_at 'process'" -l preset -r -f -a 'lidarhd ml full fast' -d 'A ready-made configuration (tuile config presets)'
complete -c tuile -n "__tuile_at 'process'" -l set -r -f -a '(__tuile_settings)' -d 'A key of the configuration, e.g. features.k=30; repeatable'
complete -c tuile -n "__tuile_at 'process'" -s o -l output -r -f -a '(__fish_complete_directories)' -d 'Output folder (default: out)'
complete -c tuile -n "__tuile_at 'process'" -l backend -r -f -a 'auto cpu cuda' -d 'What computes'
complete -c tuile -n "__tuile_at 'process'" -l features -r -f -a '(__tuile_list minimal lod2 asprs lod3 full x y z intensity return_number number_of_returns red green blue nir ndvi normal_x normal_y normal_z eigenvalue_1 eigenvalue_2 eigenvalue_3 sum_eigenvalues linearity planarity sphericity anisotropy omnivariance eigenentropy curvature verticality horizontality wall_likelihood roof_likelihood wall_score roof_score facade_score vertical_std vertical_range neighborhood_extent density num_points_2m height_above_ground is_ground)' -d 'The columns: a set, or names separated by commas'
complete -c tuile -n "__tuile_at 'process'" -l k -r -f -d 'Neighbours, the point itself included'
complete -c tuile -n "__tuile_at 'process'" -l radius -r -f -d 'All neighbours within so many metres'
complete -c tuile -n "__tuile_at 'process'" -l halo -r -f -d 'Band of the neighbouring tiles, metres'
complete -c tuile -n "__tuile_at 'process'" -l ground-truth -r -F -a 'none wfs' -d 'Source of labels; FILE is a vector file or a folder of such'
complete -c tuile -n "__tuile_at 'process'" -l formats -r -f -a '(__tuile_list npz laz)' -d 'What is written besides the sidecar'
complete -c tuile -n "__tuile_at 'process'" -l memory -r -f -d 'Memory budget, e.g. 4GiB'
complete -c tuile -n "__tuile_at 'process'" -l workers -r -f -d 'I/O threads'
complete -c tuile -n "__tuile_at 'process'" -l batch -r -f -d 'Tiles computed together'
complete -c tuile -n "__tuile_at 'process'" -l threads -r -f -d 'Computing threads'
complete -c tuile -n "__tuile_at 'process'" -l trace -r -F -d 'Chrome trace of the run, for Perfetto'
complete -c tuile -n "__tuile_at 'process'" -l no-async -d 'Load, compute and write one after the other: the baseline'
complete -c tuile -n "__tuile_at 'process'" -l bbox -r -f -d 'Metres: only points inside are written'
complete -c tuile -n "__tuile_at 'process'" -l shard -r -f -d 'The I-th of N parts of the tiles, I from 0'
complete -c tuile -n "__tuile_at 'process'" -l overwrite -d 'Do tiles again that are done'
complete -c tuile -n "__tuile_at 'process'" -l fail-fast -d 'Stop at the first tile that fails'
complete -c tuile -n "__tuile_at 'process'" -l dry-run -d 'Print the plan, its memory and neighbours'
complete -c tuile -n "__tuile_at 'process'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'process'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'process'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'info'" -F -d 'Files, folders, globs, http(s) URLs, or @list.txt'
complete -c tuile -n "__tuile_at 'info'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'info'" -l stats -d 'Also decode the points: counts per class and return'
complete -c tuile -n "__tuile_at 'info'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'info'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'info'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'synth'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'synth'" -s o -l output -r -f -a '(__fish_complete_directories)' -d 'Folder to write to'
complete -c tuile -n "__tuile_at 'synth'" -l tiles -r -f -d 'Columns and rows (default 3x3)'
complete -c tuile -n "__tuile_at 'synth'" -l size -r -f -d 'Side of a tile, metres (default 200)'
complete -c tuile -n "__tuile_at 'synth'" -l density -r -f -d 'Pulses per square metre (default 20)'
complete -c tuile -n "__tuile_at 'synth'" -l seed -r -f -d 'Same seed, same bytes (default 1)'
complete -c tuile -n "__tuile_at 'synth'" -l format -r -f -a '6 8' -d 'Point format; 8 has colours (default 6)'
complete -c tuile -n "__tuile_at 'synth'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'synth'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'synth'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'truth'" -F -d 'A LAS, LAZ or COPC file, or its http(s) URL'
complete -c tuile -n "__tuile_at 'truth'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'truth'" -s o -l output -r -F -d 'GeoPackage to write'
complete -c tuile -n "__tuile_at 'truth'" -l ground-truth -r -F -a 'wfs' -d 'Source (default wfs); FILE is a vector file or a folder of such'
complete -c tuile -n "__tuile_at 'truth'" -s c -l config -r -F -d 'YAML configuration'
complete -c tuile -n "__tuile_at 'truth'" -l set -r -f -a '(__tuile_settings)' -d 'A key of the configuration, e.g. ground_truth.wfs.url=…; repeatable'
complete -c tuile -n "__tuile_at 'truth'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'truth'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'truth'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'download'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'download'" -l bbox -r -f -d 'The area, metres'
complete -c tuile -n "__tuile_at 'download'" -s o -l output -r -f -a '(__fish_complete_directories)' -d 'Folder to write to'
complete -c tuile -n "__tuile_at 'download'" -l crs -r -f -d 'EPSG code of the box (default 2154)'
complete -c tuile -n "__tuile_at 'download'" -l index -r -f -d 'WFS that holds the index of tiles'
complete -c tuile -n "__tuile_at 'download'" -l layer -r -f -d 'Layer of the index; repeatable, tried in turn (default: the names that LiDAR HD has had)'
complete -c tuile -n "__tuile_at 'download'" -l url-attribute -r -f -d 'Attribute that holds a tile\'s URL; repeatable, tried in turn'
complete -c tuile -n "__tuile_at 'download'" -l parallel -r -f -d 'Files at once'
complete -c tuile -n "__tuile_at 'download'" -l requests-per-second -r -f -d 'The service allows 10'
complete -c tuile -n "__tuile_at 'download'" -l retries -r -f -d 'Further attempts after an error that can pass'
complete -c tuile -n "__tuile_at 'download'" -l list -d 'Print the URLs, fetch nothing'
complete -c tuile -n "__tuile_at 'download'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'download'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'download'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'verify'" -f -a '(__fish_complete_directories)' -d 'Output folder of tuile process'
complete -c tuile -n "__tuile_at 'verify'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'verify'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'verify'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'verify'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'config'" -a show -d 'Every key with its value and where the value comes from'
complete -c tuile -n "__tuile_at 'config'" -a check -d 'Says what is wrong with a configuration, or nothing'
complete -c tuile -n "__tuile_at 'config'" -a presets -d 'The ready-made configurations'
complete -c tuile -n "__tuile_at 'config'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'config'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'config'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'config'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'config show'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'config show'" -s c -l config -r -F -d 'YAML configuration'
complete -c tuile -n "__tuile_at 'config show'" -l preset -r -f -a 'lidarhd ml full fast' -d 'A ready-made configuration'
complete -c tuile -n "__tuile_at 'config show'" -l set -r -f -a '(__tuile_settings)' -d 'A key of the configuration; repeatable'
complete -c tuile -n "__tuile_at 'config show'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'config show'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'config show'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'config check'" -F -d 'YAML configuration'
complete -c tuile -n "__tuile_at 'config check'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'config check'" -s c -l config -r -F -d 'YAML configuration'
complete -c tuile -n "__tuile_at 'config check'" -l preset -r -f -a 'lidarhd ml full fast' -d 'A ready-made configuration'
complete -c tuile -n "__tuile_at 'config check'" -l set -r -f -a '(__tuile_settings)' -d 'A key of the configuration; repeatable'
complete -c tuile -n "__tuile_at 'config check'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'config check'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'config check'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'config presets'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'config presets'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'config presets'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'config presets'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'bench'" -f -a 'all decode tree features ground scaling labels write pipeline prefetch cpu_bound slow_store slow_wfs autotune autotune_fast_disk autotune_slow_store autotune_slow_wfs growth memory copc' -d 'A group of measurements (default all)'
complete -c tuile -n "__tuile_at 'bench'" -F -d 'Tiles (single steps: the first of them); none: a synthetic town'
complete -c tuile -n "__tuile_at 'bench'" -s h -l help -d 'Print this help message and exit'
complete -c tuile -n "__tuile_at 'bench'" -l copc -r -F -d 'Adjoining COPC tiles, for the row that wants such'
complete -c tuile -n "__tuile_at 'bench'" -l quick -d 'Small sizes: a look at all rows within two minutes, too noisy to cite'
complete -c tuile -n "__tuile_at 'bench'" -l full -d 'The sizes of the targets: 20 tiles of 2 million points, one of 33'
complete -c tuile -n "__tuile_at 'bench'" -l runs -r -f -d 'Alternating runs whose median counts (default 5, of whole pipelines 3)'
complete -c tuile -n "__tuile_at 'bench'" -l threads -r -f -d 'Computing threads (default: all)'
complete -c tuile -n "__tuile_at 'bench'" -l tiles -r -f -d 'Synthetic tiles (default 6)'
complete -c tuile -n "__tuile_at 'bench'" -l points -r -f -d 'Millions of points per synthetic tile (default 0.7)'
complete -c tuile -n "__tuile_at 'bench'" -l large -r -f -d 'Millions of points of the tile that the budget does not hold (default 4)'
complete -c tuile -n "__tuile_at 'bench'" -l results -r -f -a '(__fish_complete_directories)' -d 'Folder for a JSON file of the rows, the machine and the versions'
complete -c tuile -n "__tuile_at 'bench'" -l commit -r -f -d 'What the results file says of the source\'s commit'
complete -c tuile -n "__tuile_at 'bench'" -l json -d 'Machine-readable result on stdout'
complete -c tuile -n "__tuile_at 'bench'" -s q -l quiet -d 'Errors only, and what was asked for by name'
complete -c tuile -n "__tuile_at 'bench'" -s v -l verbose -d 'More about what is done'
complete -c tuile -n "__tuile_at 'help'" -f -a 'process info synth truth download verify config bench' -d 'The command'
complete -c tuile -n "__tuile_at 'help'" -s h -l help -d 'Print this help message and exit'
