# ntknas in a container, for the CPU or with CUDA.
#
#   docker build -t ntknas .                                  docker run --rm ntknas demo
#   docker build -t ntknas:cuda --build-arg DEVICE=cuda .     docker run --rm --gpus all ntknas:cuda demo
#   docker build --target smoke .                             builds it, and runs the demo in it
#
# Work in a folder of yours: docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" ntknas score --probe digits
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG DEVICE=cpu
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY ntknas ./ntknas
RUN python -m venv /opt/ntknas
# PyTorch as PyPI has it brings CUDA, 3 GB of it; the CPU's own wheels are elsewhere.
RUN if [ "$DEVICE" = cpu ]; then \
      /opt/ntknas/bin/pip install --no-cache-dir -c constraints.txt --index-url https://download.pytorch.org/whl/cpu torch torchvision; \
    fi
RUN /opt/ntknas/bin/pip install --no-cache-dir -c constraints.txt '.[report,search]'

FROM python:${PYTHON}-slim AS runtime
COPY --from=build /opt/ntknas /opt/ntknas
RUN useradd --create-home --uid 1000 ntknas && mkdir /work && chown ntknas /work
USER ntknas
WORKDIR /work
ENV PATH=/opt/ntknas/bin:$PATH MPLCONFIGDIR=/tmp/matplotlib
ENTRYPOINT ["ntknas"]
CMD ["--help"]

FROM runtime AS smoke
RUN ntknas demo

FROM runtime
