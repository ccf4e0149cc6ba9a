# Runs the bundle of an endpoint on a machine without a GPU; see docs/images.md.
# docker build -f docker/cpu.Dockerfile -t unplugin-flash-worker:0.1.0-node24-cpu docker
FROM node:24.21.0-bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log

COPY start.sh /flash/start.sh

# The platform puts an archive of a deployed app below the home of root; whoever runs this has to reach it.
RUN mkdir -p /flash/bundle /root/.runpod && chmod 711 /root && chmod 755 /root/.runpod

ENV NODE_ENV=production
WORKDIR /flash
USER node
# As a subreaper it does its work also where the engine has an init of its own.
ENTRYPOINT ["tini", "-s", "--"]
CMD ["sh", "/flash/start.sh"]
