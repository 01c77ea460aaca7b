# bash completion of tuile
_tuile() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=""
  local i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      process|info|synth|truth|download|verify|config|bench) command=${COMP_WORDS[i]}; break ;;
    esac
  done
  local words="" common="--help --json --quiet --verbose"
  case $previous in
    --backend) words="auto cpu cuda" ;;
    --features) words="minimal lod2 asprs lod3 full" ;;
    --formats) words="npz laz npz,laz" ;;
    --ground-truth) words="none wfs" ;;
    --preset) words="lidarhd ml full fast" ;;
    --format) words="6 8" ;;
    *)
      case $command in
        "") words="process info synth truth download verify config bench --help --version" ;;
        process)
          [[ $word == -* ]] && words="--output --config --preset --set --backend --features --k --radius --halo --ground-truth --formats --memory --workers
            --batch --threads --no-async --bbox --shard --overwrite --fail-fast --trace --dry-run $common" ;;
        info) [[ $word == -* ]] && words="--stats $common" ;;
        synth) [[ $word == -* ]] && words="--output --tiles --size --density --seed --format $common" ;;
        truth) [[ $word == -* ]] && words="--output --ground-truth --config --set $common" ;;
        download) [[ $word == -* ]] && words="--bbox --output --crs --index --layer --url-attribute --parallel --requests-per-second --retries --list $common" ;;
        verify) [[ $word == -* ]] && words=$common ;;
        config) if [[ $word == -* ]]; then words="--config --preset --set $common"; else words="show check presets"; fi ;;
        bench) if [[ $word == -* ]]; then words="--runs --threads --tiles --points $common"; else words="decode features labels pipeline all"; fi ;;
      esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _tuile tuile
