# A formula for Homebrew on Linux. It goes into a tap, as Formula/murmuration.rb; the address and the sums are those of a release, and
# there is none yet. Nothing has been built or tried on macOS, so there is nothing for it here.
class Murmuration < Formula
  desc "Scores text with reward models"
  homepage "https://EXAMPLE.INVALID/murmuration"
  version "0.1.0"
  license "Apache-2.0"

  depends_on :linux
  depends_on arch: :x86_64

  url "https://EXAMPLE.INVALID/murmuration-#{version}-linux-x86_64.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"

  def install
    # The Java in it and its cache belong together; they stay as they are.
    libexec.install Dir["*"]
    bin.install_symlink libexec/"bin/murmur"
    bash_completion.install_symlink libexec/"share/bash-completion/completions/murmur"
  end

  test do
    assert_match(/^7\.3/, shell_output("#{bin}/murmur score -q --prompt 'Hello?' --response 'Hi there, how can I help?'"))
  end
end
