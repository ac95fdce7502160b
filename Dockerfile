# The executor's image: its own packages and the locked `executor` extra, and nothing that proposes,
# seals or talks to a language model. Run it read-only, with a volume for its home:
#   docker run --read-only --tmpfs /tmp --volume when-to-invest:/data IMAGE
# Secrets come from the orchestrator into the environment; none is ever built in.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project --extra executor

FROM ${BASE}
RUN groupadd --gid 10001 executor \
    && useradd --uid 10001 --gid executor --no-create-home --home-dir /data --shell /usr/sbin/nologin executor \
    && install --directory --owner executor --group executor --mode 0700 /data
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY when_to_invest/ when_to_invest/
COPY home/ home/
COPY policies/ policies/
COPY signing/ signing/
COPY market_data/ market_data/
COPY ledger/ ledger/
COPY executor/ executor/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    WHEN_TO_INVEST_HOME=/data
VOLUME ["/data"]
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "executor.health_check"]
ENTRYPOINT ["python", "-m", "executor"]
