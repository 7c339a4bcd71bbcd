# Sourced first by every script: --help prints the comment at its head, and installs nothing.
for argument in "$@"; do
  if [ "$argument" = --help ] || [ "$argument" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
  fi
done
unset argument
# Many containers set it: every start of Home Assistant would compile thousands of modules
unset PYTHONDONTWRITEBYTECODE
