import MusterStore
package import MusterSystem

extension RunDriver {
  /// Starts a run that no caller waits for; as far as it goes without waiting for a model or another turn, on this
  /// thread. What comes of it the listener hears, which may be before this returns. `deadline`: when its time is over.
  package func launch(
    _ invocation: Invocation, deadline: Deadline, onBusy: BusyRule, isDetached: Bool = true, interrupt: Interrupt,
    listener: any FlightListener
  ) throws(RunError) {
    endStrays()
    let flight = RunFlight(
      invocation, driver: self, deadline: deadline, onBusy: onBusy, isDetached: isDetached, interrupt: interrupt,
      listener: listener)
    guard pool.isReady else { throw .tooMany(0) }
    try flights.add(flight)
    watch.start()
    flight.launch()
  }

  /// Keeps a place for a run that will be launched soon, so that it is refused now or not at all for their number. Who has
  /// one gives it back right before the launch, or when there is none.
  package func reservePlace() throws(RunError) { try flights.reserve() }

  package func giveBackPlace() { flights.giveBack() }

  /// A flight has ended.
  func landed(_ flight: RunFlight) {
    flights.remove(flight)
    placeCame()
  }

  /// Starts a run that goes on by itself, and gives its task as it was accepted, once that is on record. It waits for the
  /// turns before it, until `deadline`.
  package func accept(
    _ invocation: Invocation, runDeadline: Deadline, onBusy: BusyRule, deadline: Deadline, interrupt: Interrupt
  ) throws(RunError) -> TaskSnapshot {
    let acceptance = Acceptance()
    try launch(
      invocation, deadline: runDeadline, onBusy: onBusy, interrupt: acceptance.interrupt, listener: acceptance)
    return try acceptance.wait(deadline, interrupt)
  }

  /// Stops the turn that a thread is at, and drops those that wait for it.
  func replaceTurns(of invocation: Invocation, for flight: RunFlight? = nil) throws(RunError) {
    let name = TaskName(invocation.organizationID, invocation.taskID)
    for waiting in flights.inLine(name) where waiting !== flight { waiting.interrupt.fire(.stopped) }
    _ = try stop(invocation.taskID, in: invocation.organizationID)
  }

  /// A follower for a run that is about to be launched.
  package func follower(of taskID: String, in organization: String) -> Follower {
    Follower(driver: self, organizationID: organization, taskID: taskID)
  }

  /// A follower of a task, from a place on.
  package func follow(_ taskID: String, in organization: String, after place: EventPosition) -> Follower {
    Follower(driver: self, organizationID: organization, taskID: taskID, after: place)
  }

  /// Interrupts every run that no caller waits for, and lets no more begin.
  package func beginClosing() { flights.beginClosing() }

  /// Ends every run that no caller waits for, and the threads. Called once.
  package func close() {
    flights.close()
    feed.close()
    pool.stop()
    // Each holds the other.
    watch.feed = nil
    parkedWatch.goOn = nil
  }

  /// Keeps a run of a plane that closes until the host's code has returned: whoever went on with it before might make a
  /// call again that is still being made.
  func putAsideLater(_ task: TaskRow) { flights.leaveInHost(task) }

  /// Puts aside what was kept so. Called once, when the host's code has returned. A task for which that fails is put aside
  /// by whoever opens the store next.
  package func putAsideKept() {
    for task in flights.takeInHost() {
      do throws(StoreError) {
        _ = try store.park(task, as: .pending, with: nil, durable: settings.isDurable)
      } catch {
        log.write(.warning, "runs", "task \(task.id) could not be put aside")
      }
    }
  }
}
