// The one line that a new release of the shop changes.
exports.release = 'shop-1'
