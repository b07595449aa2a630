// Package child starts processes that die with us: by Kill, or by the kernel's hand if this
// process goes without a word. Nothing of it is about what they do.
//
// A child that talks says lines on its standard output. The first is that it is ready:
//
//	c := child.Program{Argv: []string{os.Args[0], "serve"}}.Command("--listen", addr)
//	ready, err := c.Start(ctx, 15*time.Second) // no process is left if it fails
//	defer c.Close()                            // kills and reaps it
//	answer, err := c.Ask("collect", time.Minute)
//
// A child that has another format takes Pipe and Launch in place of Start. The methods of a
// Child may be called from any goroutine once it has started.
package child
