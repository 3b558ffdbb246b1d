#include "by_name.h"

namespace nb = nanobind;

namespace gossamer::by_name_detail {
namespace {

// The index of a name; the search begins where the name is expected. -1: there is none.
Py_ssize_t find(const std::vector<PyObject*>& names, PyObject* name, size_t expected) {
    const size_t count = names.size();
    for (size_t i = 0; i < count; ++i) {
        const size_t at = expected + i < count ? expected + i : expected + i - count;
        if (names[at] == name) return static_cast<Py_ssize_t>(at);
    }
    for (size_t i = 0; i < count; ++i)
        if (PyUnicode_Compare(names[i], name) == 0) return static_cast<Py_ssize_t>(i);
    return -1;
}

}  // namespace

bool fill(const Function& function, void* arguments, PyObject* const* values, Py_ssize_t positional,
          PyObject* names) {
    const char* called = function.method.ml_name;
    if (positional) {
        PyErr_Format(PyExc_TypeError, "%s() takes its arguments by name", called);
        return false;
    }
    const Py_ssize_t given = names ? PyTuple_Size(names) : 0;
    for (Py_ssize_t i = 0; i < given; ++i) {
        PyObject* const name = PyTuple_GetItem(names, i);
        const Py_ssize_t at = find(function.names, name, static_cast<size_t>(i));
        if (at < 0) {
            PyErr_Format(PyExc_TypeError, "%s() has no argument %R", called, name);
            return false;
        }
        function.fields[static_cast<size_t>(at)].set(arguments, values[i]);
    }
    if (PyErr_Occurred()) return false;
    // Python refuses a name that is given twice, so the number tells whether one is missing.
    if (static_cast<size_t>(given) == function.fields.size()) return true;
    for (PyObject* const name : function.names)
        if (!names || PySequence_Contains(names, name) == 0) {
            PyErr_Format(PyExc_TypeError, "%s() misses the argument %R", called, name);
            break;
        }
    return false;
}

nb::object make(const char* name, std::vector<Field> fields,
                PyObject* (*call)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*)) {
    auto* function = new Function{std::move(fields), {}, {}};
    for (const Field& field : function->fields)
        function->names.push_back(PyUnicode_InternFromString(field.name));
    function->method = {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(call)),
                        METH_FASTCALL | METH_KEYWORDS, nullptr};
    const nb::object self = nb::steal(PyCapsule_New(function, nullptr, nullptr));
    return nb::steal(PyCFunction_NewEx(&function->method, self.ptr(), nullptr));
}

}  // namespace gossamer::by_name_detail
