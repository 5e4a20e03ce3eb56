// The one line that a new release of the guestbook changes.
exports.release = 'guestbook-1'
