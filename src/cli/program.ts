export async function runProgram(argv: readonly string[]): Promise<void> {
  console.log(`pyserve-ts on Node.js ${process.version}`, ...argv.slice(2))
}
