// Messages and stack traces of failures travel as payloads, so that the codec seals them too. Loaded by its path: by the client, by
// the worker, and into the workflows' bundle; so it is plain CommonJS.
const { DefaultFailureConverter } = require('@temporalio/common')

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
