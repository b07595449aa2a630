// Package live is the screen on which bench shows a run on a terminal while it lasts.
//
// The model is a pure function of the messages that came: updates of the run, sizes of the
// terminal, keys. The frame is a pure function of the model. A Screen is the one part that
// touches a terminal: it takes it at the first update and gives it back at every end of which
// this process is told.
package live
