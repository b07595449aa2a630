// Package scenario is what a run can be: a file for each scenario, with its flags, defaults, checks,
// promises and play, the stage on which they play, and the settings that they share.
//
// A new scenario is a file with a type that implements Scenario, and a line in All; a new kind of
// storm is a file with a type that implements blow, and a line in blows. A flag is a field of
// Config, with its name, help and unit in the tags: it stands nowhere else. A scenario names those
// that are for it and not for all (Takes); Prepare refuses the others in a sentence.
//
// Prepare makes a Plan of a Config: it fills, checks, resolves names, and compares the run with
// the limits of this machine. A Plan aims (Aim), says what the clients are to do (Swarm), and what is
// judged in the end. A scenario then plays on a Stage.
package scenario
