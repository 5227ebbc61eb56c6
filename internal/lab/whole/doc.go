// Package whole has the tests of a whole rover, from the outside: every case
// of docs/faults.md over TCP and over pipes, the pictures of the documents,
// crowds of subscribers and operators, none of whom may lose a connection.
package whole
