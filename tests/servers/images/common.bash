# What the scripts that make images share; sourced. The repository is the working folder from here on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
images=tests/servers/images
label=io.bakeoff.recipe
[ -n "${PYTHON:-}" ] || PYTHON=$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)

# has IMAGE FILE...: whether it was made by this script as it is now, from these files as they are now.
has() {
    recipe=$(cat $images/{common.bash,debian} "$images/${0##*/}" "${@:2}" | sha256sum | cut -c1-16)
    [ "$(docker image inspect -f "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null)" = "$recipe" ]
}

# Makes a folder to build from, $context, that is gone when the script ends.
open_context() {
    context=$(mktemp -d)
    trap 'rm -rf "$context"' EXIT
}

# build IMAGE: from $context, whose Dockerfile comes on stdin. `has` comes before it.
build() {
    cat >"$context/Dockerfile"
    # The old builder: Debian's docker.io comes without buildx.
    DOCKER_BUILDKIT=0 docker build -q -t "$1" --label "$label=$recipe" "$context" >"$context/log" 2>&1 ||
        { tail -n 5 "$context/log" >&2; exit 1; }
}
