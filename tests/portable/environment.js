// Programs of WebAssembly see the environment of Node.js, as GoogleTest and the project's own variables need it.
Module['preRun'] = [].concat(Module['preRun'] || [], () => Object.assign(ENV, process.env));
