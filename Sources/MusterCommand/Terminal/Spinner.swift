import Glibc

/// A turning mark with the time since it began, on the terminal behind standard error; nothing where there is none.
final class Spinner: @unchecked Sendable {
  private static let marks = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
  private static let stepMilliseconds: Int32 = 100

  let began = Time.monotonicMilliseconds()
  private let text: String
  /// Closing its end for writing stops the thread.
  private var pipe: (reading: Int32, writing: Int32) = (-1, -1)
  private var thread = pthread_t()
  private var isRunning = false

  init(_ text: String) {
    self.text = Output.printable(text, keepingLines: false)
    guard isatty(STDERR_FILENO) == 1, getenv("TERM").map({ strcmp($0, "dumb") != 0 }) ?? false else { return }
    var ends: [Int32] = [-1, -1]
    // The program starts no other that could inherit them.
    guard Glibc.pipe(&ends) == 0 else { return }
    pipe = (ends[0], ends[1])
    // Signals are for the thread that waits for them.
    var all = sigset_t()
    var previous = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &previous)
    isRunning =
      pthread_create(
        &thread, nil,
        { argument in
          guard let argument else { return nil }
          Unmanaged<Spinner>.fromOpaque(argument).takeUnretainedValue().turn()
          return nil
        }, Unmanaged.passUnretained(self).toOpaque()) == 0
    pthread_sigmask(SIG_SETMASK, &previous, nil)
  }

  deinit { stop() }

  /// Takes the mark away. Gives the milliseconds since the beginning.
  @discardableResult
  func stop() -> Int {
    close(pipe.writing)
    if isRunning { pthread_join(thread, nil) }
    close(pipe.reading)
    pipe = (-1, -1)
    isRunning = false
    return Time.monotonicMilliseconds() - began
  }

  private func turn() {
    var step = 0
    var stop = pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)
    while poll(&stop, 1, Spinner.stepMilliseconds) == 0 {
      let elapsed = Time.elapsed(Time.monotonicMilliseconds() - began)
      write("\r\u{1B}[K\(Spinner.marks[step % Spinner.marks.count]) \(text) \(elapsed)")
      step &+= 1
    }
    write("\r\u{1B}[K")
  }

  private func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
