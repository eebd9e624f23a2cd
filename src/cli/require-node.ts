const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

// Nothing newer than Node 18 may stand in this file or be imported by it: it has to load where the rest cannot.
if (major < 22 || (major === 22 && minor < 22)) {
  console.error(`pyserve-ts needs Node.js 22.22 or newer, this is ${process.versions.node} (${process.execPath})`)
  process.exit(1)
}
