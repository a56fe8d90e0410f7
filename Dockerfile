# The object server and the connectors in one image; which of them runs is the command:
#   docker run -v isthmus:/data -v ./config.ts:/app/config.ts -p 9090:9090 isthmus server
#   docker run -v adapter:/data -v ./config.ts:/app/config.ts isthmus adapter

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The embedded PostgreSQL of the demo is a large optional part that a server does not need.
RUN npm ci --omit=dev --omit=optional

FROM node:24-slim
ENV NODE_ENV=production \
    ISTHMUS_HOST=0.0.0.0 \
    ISTHMUS_DATA=/data/server
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY bin ./bin
COPY models ./models
COPY data ./data
COPY docs ./docs
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 9090
# The exec form makes Isthmus the process that gets SIGTERM; it stops within 10 s.
ENTRYPOINT ["node", "bin/isthmus.js"]
CMD ["server"]
# Only containers that run a server can answer; start others with --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ISTHMUS_PORT || 9090}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
