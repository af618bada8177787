/**
 * Required by a bench's hub before everything else (NODE_OPTIONS): on SIGUSR2 it collects its garbage, and says so in a file of its home. What its memory
 * holds then is needed, and not only not looked at yet. An agent that inherits it does nothing with it unless somebody sends that signal.
 */
const { writeFileSync } = require('node:fs');

process.on('SIGUSR2', () => {
  global.gc();
  global.gc();
  writeFileSync(`${process.env.POLARON_HOME}/collected`, JSON.stringify(process.memoryUsage()));
});
