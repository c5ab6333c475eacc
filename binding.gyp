{
  'variables': {
    'sanitize%': '',      # thread | address
    'build_tests%': 'false',
    'core_sources': [
      'native/codec/sse.cc',
      'native/core/enumerate.cc',
      'native/core/inbox.cc',
      'native/core/mailbox.cc',
      'native/core/registry.cc',
      'native/core/sender.cc',
      'native/core/slot_table.cc',
      'native/core/stream_line.cc',
      'native/core/sweep.cc',
      'native/core/tag_store.cc',
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
      'native/binding/js_worker.cc',
      'native/binding/node_carrier.cc',
      'native/binding/node_worker.cc',
      'native/loop/reactor_embed.cc',
      'native/loop/reactor_table.cc',
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
        'cflags': ['-fsanitize=<(sanitize)', '-fno-omit-frame-pointer', '-g'],
        'ldflags': ['-fsanitize=<(sanitize)'],
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
}
