# The images can be replaced by local ones: --build-arg BUILDER_IMAGE=… --build-arg RUNTIME_IMAGE=…
ARG BUILDER_IMAGE=swift:6.3-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUILDER_IMAGE} AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends libsqlite3-dev libssl-dev tzdata \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift .
COPY Sources Sources
COPY Migrations Migrations
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product referrald \
    && strip -o /referrald .build/release/referrald

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends libsqlite3-0 libssl3 libstdc++6 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin referrald \
    && install -d -o referrald -g referrald -m 0700 /data
COPY --from=builder /referrald /usr/local/bin/referrald
ENV REFERRALD_LISTEN=0.0.0.0:8080 \
    REFERRALD_DATABASE=/data/referrald.db
USER referrald
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["referrald", "health"]
ENTRYPOINT ["referrald"]
CMD ["serve"]
