# bash completion of tuile. Made from the command line's parser by `make docs`; a test compares. Do not edit by hand.

_tuile_keys='input output backend devices features.set features.k features.radius features.max_neighbors features.missing features.scales features.color_depth halo crs threads preprocess.exclude_classes preprocess.statistical_outliers.enabled preprocess.statistical_outliers.k preprocess.statistical_outliers.std preprocess.radius_outliers.enabled preprocess.radius_outliers.radius preprocess.radius_outliers.min_neighbors preprocess.voxel.enabled preprocess.voxel.size ground_truth.source ground_truth.wfs.url ground_truth.wfs.prefix ground_truth.wfs.page_size ground_truth.wfs.sort_by ground_truth.wfs.requests_per_second ground_truth.wfs.max_in_flight ground_truth.wfs.timeout ground_truth.wfs.retries ground_truth.cache.memory ground_truth.cache.disk ground_truth.cache.disk_size ground_truth.cache.max_age_days ground_truth.cache.cell ground_truth.on_failure ground_truth.layers imagery.source imagery.wms.url imagery.wms.rgb_layer imagery.wms.irc_layer imagery.wms.resolution imagery.wms.max_pixels imagery.wms.requests_per_second imagery.wms.max_in_flight imagery.wms.timeout imagery.wms.retries prefetch.workers prefetch.ahead prefetch.cache_tiles prefetch.retries prefetch.timeout memory.budget batch.size write.formats write.npz.compression write.laz.features write.laz.labels write.patches.enabled write.patches.size write.patches.overlap write.patches.points write.patches.seed report trace'

_tuile_words_of_key() {
  case $1 in
    backend) echo 'auto cpu cuda' ;;
    features.set) echo 'minimal lod2 asprs lod3 full' ;;
    features.missing) echo 'nan drop error' ;;
    features.color_depth) echo '16 8' ;;
    preprocess.statistical_outliers.enabled) echo 'true false' ;;
    preprocess.radius_outliers.enabled) echo 'true false' ;;
    preprocess.voxel.enabled) echo 'true false' ;;
    ground_truth.on_failure) echo 'fail_tile unlabelled' ;;
    imagery.source) echo 'tile none wms' ;;
    write.formats) echo 'npz laz' ;;
    write.npz.compression) echo 'none deflate' ;;
    write.laz.labels) echo 'extra_bytes classification' ;;
  esac
}

# Sets commands, options and arguments: what may follow the command $1.
_tuile_command() {
  case $1 in
    '')
      commands='process info synth truth download verify config bench help'
      options='--help --version'
      arguments='' ;;
    'process')
      commands=''
      options='--help --config --preset --set --output --backend --features --k --radius --halo --ground-truth --formats --memory --workers --batch --threads --trace --no-async --bbox --shard --overwrite --fail-fast --dry-run --json --quiet --verbose'
      arguments='files' ;;
    'info')
      commands=''
      options='--help --stats --json --quiet --verbose'
      arguments='files' ;;
    'synth')
      commands=''
      options='--help --output --tiles --size --density --seed --format --json --quiet --verbose'
      arguments='' ;;
    'truth')
      commands=''
      options='--help --output --ground-truth --config --set --json --quiet --verbose'
      arguments='files' ;;
    'download')
      commands=''
      options='--help --bbox --output --crs --index --layer --url-attribute --parallel --requests-per-second --retries --list --json --quiet --verbose'
      arguments='' ;;
    'verify')
      commands=''
      options='--help --json --quiet --verbose'
      arguments='folders' ;;
    'config')
      commands='show check presets'
      options='--help --json --quiet --verbose'
      arguments='' ;;
    'config show')
      commands=''
      options='--help --config --preset --set --json --quiet --verbose'
      arguments='' ;;
    'config check')
      commands=''
      options='--help --config --preset --set --json --quiet --verbose'
      arguments='files' ;;
    'config presets')
      commands=''
      options='--help --json --quiet --verbose'
      arguments='' ;;
    'bench')
      commands=''
      options='--help --copc --quick --full --runs --threads --tiles --points --large --results --commit --json --quiet --verbose'
      arguments='words all decode tree features ground scaling labels write pipeline prefetch cpu_bound slow_store slow_wfs autotune autotune_fast_disk autotune_slow_store autotune_slow_wfs growth memory copc;files' ;;
    'help')
      commands=''
      options='--help'
      arguments='words process info synth truth download verify config bench' ;;
  esac
}

# What the option $2 of the command $1 takes; nothing where it takes no value.
_tuile_value() {
  case "$1 $2" in
    'process -c') echo 'files' ;;
    'process --config') echo 'files' ;;
    'process --preset') echo 'words lidarhd ml full fast' ;;
    'process --set') echo 'settings' ;;
    'process -o') echo 'folders' ;;
    'process --output') echo 'folders' ;;
    'process --backend') echo 'words auto cpu cuda' ;;
    'process --features') echo 'list minimal lod2 asprs lod3 full x y z intensity return_number number_of_returns red green blue nir ndvi normal_x normal_y normal_z eigenvalue_1 eigenvalue_2 eigenvalue_3 sum_eigenvalues linearity planarity sphericity anisotropy omnivariance eigenentropy curvature verticality horizontality wall_likelihood roof_likelihood wall_score roof_score facade_score vertical_std vertical_range neighborhood_extent density num_points_2m height_above_ground is_ground' ;;
    'process --k') echo 'none' ;;
    'process --radius') echo 'none' ;;
    'process --halo') echo 'none' ;;
    'process --ground-truth') echo 'words none wfs;files' ;;
    'process --formats') echo 'list npz laz' ;;
    'process --memory') echo 'none' ;;
    'process --workers') echo 'none' ;;
    'process --batch') echo 'none' ;;
    'process --threads') echo 'none' ;;
    'process --trace') echo 'files' ;;
    'process --bbox') echo 'none' ;;
    'process --shard') echo 'none' ;;
    'synth -o') echo 'folders' ;;
    'synth --output') echo 'folders' ;;
    'synth --tiles') echo 'none' ;;
    'synth --size') echo 'none' ;;
    'synth --density') echo 'none' ;;
    'synth --seed') echo 'none' ;;
    'synth --format') echo 'words 6 8' ;;
    'truth -o') echo 'files' ;;
    'truth --output') echo 'files' ;;
    'truth --ground-truth') echo 'words wfs;files' ;;
    'truth -c') echo 'files' ;;
    'truth --config') echo 'files' ;;
    'truth --set') echo 'settings' ;;
    'download --bbox') echo 'none' ;;
    'download -o') echo 'folders' ;;
    'download --output') echo 'folders' ;;
    'download --crs') echo 'none' ;;
    'download --index') echo 'none' ;;
    'download --layer') echo 'none' ;;
    'download --url-attribute') echo 'none' ;;
    'download --parallel') echo 'none' ;;
    'download --requests-per-second') echo 'none' ;;
    'download --retries') echo 'none' ;;
    'config show -c') echo 'files' ;;
    'config show --config') echo 'files' ;;
    'config show --preset') echo 'words lidarhd ml full fast' ;;
    'config show --set') echo 'settings' ;;
    'config check -c') echo 'files' ;;
    'config check --config') echo 'files' ;;
    'config check --preset') echo 'words lidarhd ml full fast' ;;
    'config check --set') echo 'settings' ;;
    'bench --copc') echo 'files' ;;
    'bench --runs') echo 'none' ;;
    'bench --threads') echo 'none' ;;
    'bench --tiles') echo 'none' ;;
    'bench --points') echo 'none' ;;
    'bench --large') echo 'none' ;;
    'bench --results') echo 'folders' ;;
    'bench --commit') echo 'none' ;;
  esac
}

# Adds to COMPREPLY what begins with $1 and is among the offers $2.
_tuile_add() {
  local current=$1 offer kind words before
  local -a offers
  IFS=';' read -r -a offers <<<"$2"
  for offer in "${offers[@]}"; do
    kind=${offer%% *} words=${offer#* }
    case $kind in
      words) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$current") ;;
      list)
        before=""
        [[ $current == *,* ]] && before=${current%,*},
        compopt -o nospace 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "$before" -W "$words" -- "${current##*,}") ;;
      files)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current") ;;
      folders)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current") ;;
      settings)
        if [[ $current == *=* ]]; then
          words=$(_tuile_words_of_key "${current%%=*}")
          mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -P "${current%%=*}=" -W "$words" -- "${current#*=}")
        else
          compopt -o nospace 2>/dev/null
          mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -S = -W "$_tuile_keys" -- "$current")
        fi ;;
    esac
  done
}

_tuile() {
  local -a words=()
  local i
  # bash splits at "=" and ":" what is one word to tuile.
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    if ((i > 1)) && [[ ${COMP_WORDS[i]} == [=:]* || ${COMP_WORDS[i-1]} == *[=:] ]]; then
      words[-1]+=${COMP_WORDS[i]}
    else
      words+=("${COMP_WORDS[i]}")
    fi
  done
  local current=${words[-1]} previous="" word command="" commands options arguments
  _tuile_command ""
  for word in "${words[@]:1:${#words[@]}-2}"; do
    if [[ $previous == -* && -n $(_tuile_value "$command" "$previous") ]]; then
      previous=""
      continue
    fi
    previous=$word
    if [[ " $commands " == *" $word "* ]]; then
      command+=${command:+ }$word
      _tuile_command "$command"
      previous=""
    fi
  done
  COMPREPLY=()
  local offer=""
  [[ $previous == -* ]] && offer=$(_tuile_value "$command" "$previous")
  if [[ -n $offer ]]; then
    _tuile_add "$current" "$offer"
  elif [[ $current == --*=* ]]; then
    _tuile_add "${current#*=}" "$(_tuile_value "$command" "${current%%=*}")"
    COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
  elif [[ $current == -* ]]; then
    _tuile_add "$current" "words $options"
  else
    _tuile_add "$current" "words $commands"
    _tuile_add "$current" "$arguments"
  fi
  # Only what follows the last "=" or ":" is replaced.
  local kept=""
  [[ $current == *=* && $COMP_WORDBREAKS == *=* ]] && kept=${current%=*}=
  [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && kept=${current%:*}:
  [[ -n $kept ]] && COMPREPLY=("${COMPREPLY[@]#"$kept"}")
  return 0
}
complete -F _tuile tuile
