# Sourced: sets HOME where it is missing, and `cache`, the folder of what the scripts fetch.
if [ -z "${HOME:-}" ]; then
  HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
  export HOME
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cosyvoice-home-assistant
if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
  echo "cannot write the cache $cache: set XDG_CACHE_HOME to a folder that can be written" >&2
  exit 1
fi
