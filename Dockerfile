# Warmline in one image: gateway, workers, web page, models and voice inside; not root; SIGTERM drains.
#
#   docker build -t warmline .        (without a daemon: make image-check)
#   docker run --network host -v ./warmline.toml:/etc/warmline.toml:ro -v warmline:/data warmline
#
# RTP needs a port range and the address callers can reach: host networking is the simplest that works.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates python3 python3-pip python3-venv >/dev/null
WORKDIR /src
COPY requirements.lock ./
RUN python3 -m venv /opt/warmline \
 && /opt/warmline/bin/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY voice voice
COPY prosody prosody
COPY telephony telephony
RUN /opt/warmline/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .

FROM ${BASE}
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates espeak-ng python3 >/dev/null \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 warmline \
 && install -d -o warmline /data
COPY --from=build /opt/warmline /opt/warmline
ENV PATH=/opt/warmline/bin:$PATH OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 WARMLINE_STORE__DIR=/data
USER warmline
WORKDIR /data
VOLUME /data
EXPOSE 5060/udp 5060/tcp 8080/tcp 10000-10999/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
ENTRYPOINT ["warmline"]
CMD ["serve", "--config", "/etc/warmline.toml"]
