// Package machine says what this machine allows: the memory that a process may use, the
// descriptors, the limits of the kernel and which of them are too low for what somebody wants
// to do. It also has this process's threads run sooner, or on some processors alone.
//
// What a process costs, and what the kernel counts, is in package proc below.
//
// It asks the kernel each time and keeps nothing. All functions may be called from any
// goroutine. Elsewhere than on Linux most answers are that nobody knows.
//
//	limits := machine.Read()
//	for _, low := range limits.Short(machine.Need{Conns: 10_000, Ends: 10_000, Descriptors: 10_400}) {
//		fmt.Println(low) // need 10400 open files of a process, there are 1024; raise it with: ulimit -n 10400
//	}
package machine
