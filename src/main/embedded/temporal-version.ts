/** Of Temporal's command line program, which holds the dev server. Later ones than 1.8 cannot be built by `go install`. */
export const temporalVersion = '1.5.1'
