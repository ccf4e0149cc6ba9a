# Runs the bundle of an endpoint on a machine with NVIDIA GPUs; see docs/images.md.
# docker build -f docker/gpu.Dockerfile -t unplugin-flash-worker:0.1.0-node24-gpu docker
FROM node:24.21.0-bookworm-slim AS node

# cudart, cublas, cufft, curand and cuDNN 9 for CUDA 12.
FROM nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04

# The Vulkan loader, and what the driver's Vulkan part loads by name.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tini libvulkan1 libegl1 libxext6 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log

COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx

COPY start.sh /flash/start.sh

# The platform puts an archive of a deployed app below the home of root; whoever runs this has to reach it.
RUN userdel --remove ubuntu && useradd --create-home --uid 1000 node \
 && mkdir -p /flash/bundle /root/.runpod && chmod 711 /root && chmod 755 /root/.runpod

ENV NODE_ENV=production \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
WORKDIR /flash
USER node
# As a subreaper it does its work also where the engine has an init of its own.
ENTRYPOINT ["tini", "-s", "--"]
CMD ["sh", "/flash/start.sh"]
