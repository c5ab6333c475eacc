{
  'variables': {
    'sanitize%': '',      # thread | address
    'build_tests%': 'false',
    'build_bench%': 'false',
    'core_sources': [
      'native/codec/sse.cc',
      'native/codec/websocket.cc',
      'native/core/enumerate.cc',
      'native/core/fan_out.cc',
      'native/core/inbox.cc',
      'native/core/loss.cc',
      'native/core/mailbox.cc',
      'native/core/outboxes.cc',
      'native/core/receivers.cc',
      'native/core/registry.cc',
      'native/core/sender.cc',
      'native/core/slot_table.cc',
      'native/core/stream_line.cc',
      'native/core/subscriptions.cc',
      'native/core/sweep.cc',
      'native/core/tag_store.cc',
      'native/core/topic_members.cc',
      'native/core/topics.cc',
      'native/core/worker_cache.cc',
      'native/listener/listener.cc',
      'native/listener/socket.cc',
      'native/reactor/reactor.cc',
    ],
    'linux_sources': ['native/listener/accept_linux.cc', 'native/reactor/epoll_poller.cc'],
    'mac_sources': ['native/listener/accept_darwin.cc', 'native/reactor/kqueue_poller.cc'],
    'addon_sources': [
      'native/binding/addon.cc',
      'native/binding/js_facts.cc',
      'native/binding/js_listen.cc',
      'native/binding/js_send.cc',
      'native/binding/js_streams.cc',
        'native/binding/js_topics.cc',
      'native/binding/js_worker.cc',
      'native/binding/node_carrier.cc',
      'native/binding/node_worker.cc',
      'native/loop/reactor_embed.cc',
      'native/loop/reactor_table.cc',
    ],
    'test_sources': [
      'test/native/main.cc',
      'test/native/base/uid.test.cc',
      'test/native/codec/sse.test.cc',
      'test/native/codec/websocket.test.cc',
      'test/native/core/delivery.test.cc',
      'test/native/core/detach.test.cc',
      'test/native/core/enumerate.test.cc',
      'test/native/core/mailbox.test.cc',
      'test/native/core/placement.test.cc',
      'test/native/core/registry.test.cc',
      'test/native/core/sender.test.cc',
      'test/native/core/slot_table.test.cc',
      'test/native/core/stream_line.test.cc',
      'test/native/core/sweep.test.cc',
      'test/native/core/tag_store.test.cc',
      'test/native/core/topics.test.cc',
      'test/native/core/worker_cache.test.cc',
      'test/native/listener/listener.test.cc',
      'test/native/listener/socket.test.cc',
      'test/native/reactor/poller.test.cc',
      'test/native/reactor/reactor.test.cc',
      'test/native/stress/streams.test.cc',
      'test/native/stress/uids.test.cc',
      'test/native/stress/workers.test.cc',
    ],
    # Counts locks with the help of GNU's linker.
    'linux_test_sources': [
      'test/native/core/locks.test.cc',
      'test/native/support/lock_counts.cc',
    ],
    # What also holds when each field of a uid is a few bits wide, and what only then is reached.
    'tiny_test_sources': [
      'test/native/main.cc',
      'test/native/base/uid.test.cc',
      'test/native/core/slot_table.test.cc',
      'test/native/core/stream_line.test.cc',
      'test/native/core/uid_wrap.test.cc',
      'test/native/core/worker_cache.test.cc',
      'test/native/stress/uids.test.cc',
    ],
  },
  'target_defaults': {
    'include_dirs': ['native'],
    'cflags': ['-Wall', '-Wextra', '-fvisibility=hidden'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
    'cflags_cc': ['-std=c++20'],
    'xcode_settings': {
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'WARNING_CFLAGS': ['-Wall', '-Wextra'],
    },
    'configurations': {
      'Release': {'defines': ['NDEBUG']},
    },
    'conditions': [
      ['sanitize!=""', {
        'cflags': ['-fsanitize=<(sanitize)', '-fno-omit-frame-pointer', '-g', '-O1'],
        'ldflags': ['-fsanitize=<(sanitize)'],
        'configurations': {'Release': {'cflags!': ['-O3'], 'defines!': ['NDEBUG']}},
      }],
      ['sanitize=="address"', {
        'cflags': ['-fsanitize=undefined', '-fno-sanitize-recover=undefined'],
        'ldflags': ['-fsanitize=undefined'],
      }],
    ],
  },
  'targets': [
    {
      # Knows no Node: native/CMakeLists.txt builds the same files without Node's headers.
      'target_name': 'holdfast_core',
      'type': 'static_library',
      'sources': ['<@(core_sources)'],
      'cflags': ['-fPIC', '-Wshadow'],
      'conditions': [
        ['OS=="linux"', {'sources': ['<@(linux_sources)']}],
        ['OS=="mac"', {'sources': ['<@(mac_sources)']}],
      ],
    },
    {
      'target_name': 'holdfast',
      'dependencies': ['holdfast_core'],
      'include_dirs': ['<!@(node -p "require(\'node-addon-api\').include")'],
      'sources': ['<@(addon_sources)'],
      'defines': [
        'NAPI_VERSION=8',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED',
      ],
      'conditions': [
        # When the last worker that loaded it ends, threads and the registry live on.
        ['OS=="linux"', {'ldflags': ['-Wl,-z,nodelete']}],
      ],
    },
  ],
  'conditions': [
    ['build_bench=="true"', {
      'targets': [{
        'target_name': 'native_bench',
        'type': 'executable',
        'dependencies': ['holdfast_core'],
        'sources': ['bench/native/find_bench.cc'],
        'ldflags': ['-pthread'],
        'libraries': ['-lbenchmark'],
      }],
    }],
    ['build_tests=="true"', {
      'targets': [
        {
          'target_name': 'core_tests',
          'type': 'executable',
          'dependencies': ['holdfast_core'],
          'include_dirs': ['test/native'],
          'sources': ['<@(test_sources)'],
          'cflags': ['-O1'],
          'cflags_cc!': ['-fno-exceptions'],
          'ldflags': ['-pthread'],
          'conditions': [
            ['OS=="linux"', {
              'sources': ['<@(linux_test_sources)'],
              'ldflags': [
                '-Wl,--wrap=pthread_mutex_lock',
                '-Wl,--wrap=pthread_rwlock_rdlock',
                '-Wl,--wrap=pthread_rwlock_wrlock',
              ],
            }],
          ],
        },
        {
          # Compiles the core anew: with these fields every wrap comes within seconds.
          'target_name': 'core_tests_tiny',
          'type': 'executable',
          'include_dirs': ['test/native'],
          'sources': ['<@(core_sources)', '<@(tiny_test_sources)'],
          'defines': [
            'HOLDFAST_GENERATION_BITS=2',
            'HOLDFAST_SLOT_BITS=4',
            'HOLDFAST_STREAM_BITS=4',
          ],
          'cflags': ['-O1'],
          'cflags_cc!': ['-fno-exceptions'],
          'ldflags': ['-pthread'],
          'conditions': [
            ['OS=="linux"', {'sources': ['<@(linux_sources)']}],
            ['OS=="mac"', {'sources': ['<@(mac_sources)']}],
          ],
        },
      ],
    }],
    # Each holds one planted fault, which the sanitizer must report.
    ['build_tests=="true" and sanitize=="thread"', {
      'targets': [{
        'target_name': 'canary',
        'type': 'executable',
        'sources': ['test/native/canary/race.cc'],
        'cflags': ['-O0'],
        'ldflags': ['-pthread'],
      }],
    }],
    ['build_tests=="true" and sanitize=="address"', {
      'targets': [{
        'target_name': 'canary',
        'type': 'executable',
        'sources': ['test/native/canary/leak.cc'],
        'cflags': ['-O0'],
      }],
    }],
  ],
}
