#!/bin/sh
# Runs the bundle that is mounted, else the endpoint's folder of the archive that the platform has put here.
set -eu

bundle=/flash/bundle
archive=${FLASH_BUILD_ARTIFACT_PATH:-/root/.runpod/artifact.tar.gz}

if [ ! -f "$bundle/main.mjs" ]; then
  if [ ! -r "$archive" ]; then
    echo "flash: there is neither $bundle/main.mjs nor a readable $archive: mount a bundle, or run as a user who may read the archive" >&2
    exit 2
  fi
  if [ -z "${FLASH_RESOURCE_NAME:-}" ]; then
    echo "flash: FLASH_RESOURCE_NAME does not say which endpoint of $archive this is" >&2
    exit 2
  fi
  app=$(mktemp -d "${TMPDIR:-/tmp}/flash-app-XXXXXX")
  tar -xzf "$archive" -C "$app" --no-same-owner --no-same-permissions
  bundle=$app/$FLASH_RESOURCE_NAME
  if [ ! -f "$bundle/main.mjs" ]; then
    echo "flash: $archive has no endpoint \"$FLASH_RESOURCE_NAME\"" >&2
    exit 2
  fi
fi

cd "$bundle"
exec node main.mjs "$@"
