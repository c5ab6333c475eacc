// nginx with nchan. This process publishes, by a POST on one connection; its own time is not nginx's.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../lib/redis.mjs'
import { until } from '../lib/wait.mjs'
import { answerPublishing } from './publish.mjs'

const [carrier, workers] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'holdfast-nchan-'))
const [port, publishPort] = [await freePort(), await freePort()]
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  .map((name) => `${name}_temp_path ${folder}/${name};`)
  .join('\n')
writeFileSync(
  join(folder, 'nginx.conf'),
  `load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
worker_processes ${workers};
pid ${folder}/pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 10000000;
  tcp_nodelay on;
  ${temporary}
  server {
    listen 127.0.0.1:${port}${carrier === 'h2' ? ' http2' : ''};
    location = / {
      nchan_subscriber eventsource;
      nchan_channel_id all;
      nchan_eventsource_ping_interval 0;
    }
  }
  server {
    listen 127.0.0.1:${publishPort};
    location = /publish {
      nchan_publisher;
      nchan_channel_id all;
      nchan_message_buffer_length 64;
    }
  }
}
`,
)
const nginx = spawn('nginx', ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
process.on('exit', () => {
  nginx.kill()
  // It complains when it cannot remove its own file.
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  for (let i = 0; i < 200 && existsSync(join(folder, 'pid')); i++) Atomics.wait(sleeper, 0, 0, 10)
  rmSync(folder, { recursive: true, force: true })
})
process.on('SIGTERM', () => process.exit())

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
function post(text) {
  return new Promise((resolve, reject) => {
    const options = {
      port: publishPort,
      host: '127.0.0.1',
      path: '/publish',
      method: 'POST',
      agent,
    }
    const request = http.request(options, (response) => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
    request.end(text)
  })
}
await until('nginx', () => post('hello').then(Boolean, () => false))

const children = () =>
  readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'latin1').trim().split(' ')
answerPublishing({
  port,
  pids: () => [nginx.pid, ...children().map(Number)],
  async publish(text) {
    const status = await post(text)
    if (status !== 200 && status !== 201 && status !== 202) throw new Error(`nginx: ${status}`)
  },
})
