// The backend of the WebSocket loads.
import { WebSocketServer } from 'ws'
import { readOptions } from './arguments.ts'

const { port } = readOptions<{ port: number }>()

const server = new WebSocketServer({ host: '127.0.0.1', port, backlog: 4096, perMessageDeflate: false })
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  socket.on('error', () => socket.terminate())
})
