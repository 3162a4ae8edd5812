# syntax=docker/dockerfile:1
# One image for every role, the web and all commands: what it runs is its arguments.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/tocsin
WORKDIR /src
# What changes seldom comes first, and so is built seldom.
COPY requirements-image.txt ./
RUN /opt/tocsin/bin/pip install --require-hashes -r requirements-image.txt
COPY pyproject.toml README.md LICENSE ./
COPY agents agents
COPY analytics analytics
COPY bench bench
COPY catalogue catalogue
COPY cli cli
COPY demo demo
COPY embedded embedded
COPY pipeline pipeline
COPY policy policy
COPY schemas schemas
COPY sinks sinks
COPY tables tables
COPY web web
# Compiled here, as the image is read only.
RUN /opt/tocsin/bin/pip install --no-deps --no-build-isolation --no-index . \
    && /opt/tocsin/bin/python -m compileall -q /opt/tocsin/lib

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="Tocsin" \
      org.opencontainers.image.description="Notifications from domain events in Kafka"
RUN groupadd --gid 10001 tocsin \
    && useradd --uid 10001 --gid tocsin --no-create-home --home-dir /var/lib/tocsin tocsin \
    && install --directory --owner=tocsin --group=tocsin --mode=0750 /var/lib/tocsin
COPY --from=build /opt/tocsin /opt/tocsin
COPY catalogue /etc/tocsin/catalogue
ENV PATH=/opt/tocsin/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    TOCSIN_DATA_DIR=/var/lib/tocsin \
    TOCSIN_CATALOGUE=/etc/tocsin/catalogue \
    TOCSIN_METRICS_HOST=0.0.0.0 \
    TOCSIN_METRICS_PORT=9090 \
    TOCSIN_WEB_HOST=0.0.0.0
# All else is written to nowhere: run it with a read-only root, this volume and a /tmp in memory.
VOLUME /var/lib/tocsin
WORKDIR /var/lib/tocsin
EXPOSE 8090 9090 9100
USER 10001:10001
ENTRYPOINT ["tocsin"]
CMD ["--help"]
